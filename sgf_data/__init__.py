"""Records in, tensors out: SGF collections are read, checked and kept in game stores.

    sources    files, directories and archives  ->  bytes
    reader     bytes                            ->  GameRecord or RecordError
    store      GameRecords                     <->  a game store (an Arrow file, memory-mapped)
    build      the whole road, on all cores

Nothing is imported here; import the module that is wanted.
"""
