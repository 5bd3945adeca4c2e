// A session with an engine as Sabaki holds it, through Sabaki's own controller (npm: @sabaki/gtp).
//
//   node sabaki.js COMMAND [ARGUMENT...]
//
// Prints what was seen as a line of JSON; ends with status 1 and a message where the engine doesn't do its part.

const {performance} = require('perf_hooks')
const {Controller, ControllerStateTracker} = require('@sabaki/gtp')

const SIZE = 9
const controller = new Controller(process.argv[2], process.argv.slice(3))
const tracker = new ControllerStateTracker(controller)

function expect(condition, message) {
  if (!condition) throw new Error(message)
}

async function ask(name, ...args) {
  const response = await controller.sendCommand({name, args: args.map(String)})
  expect(!response.error, `${name} ${args.join(' ')}: ${response.content}`)
  return response.content
}

// The moves of an info line, read by the rules that Sabaki reads it by: pv last, a point in a win rate makes it a
// fraction, ownership apart.
function readInfo(line) {
  const [info, owners] = line.split(/ownership\s+/)
  const moves = info
    .split(/\s*info\s+/)
    .slice(1)
    .map(part => {
      const pv = part.trim().match(/(pass|[A-Za-z]\d+)(\s+(pass|[A-Za-z]\d+))*$/)
      expect(pv != null, `no variation at the end of: ${part}`)
      const words = part.slice(0, pv.index).trim().split(/\s+/).slice(0, -1)
      expect(words.length % 2 === 0, `not pairs: ${words.join(' ')}`)
      const move = Object.fromEntries(words.flatMap((word, i) => (i % 2 ? [] : [[word, words[i + 1]]])))
      const winrate = move.winrate.includes('.') ? 100 * move.winrate : move.winrate / 100
      expect(winrate >= 0 && winrate <= 100, `win rate ${move.winrate}`)
      return {...move, winrate}
    })
  return {moves, owners: owners == null ? [] : owners.trim().split(/\s+/).map(Number)}
}

async function handshake(seen) {
  const [name, version, protocol, commands] = await Promise.all(
    ['name', 'version', 'protocol_version', 'list_commands'].map(command => ask(command))
  )
  expect(protocol === '2', `protocol ${protocol}`)
  seen.engine = `${name} ${version}`
  seen.commands = commands.split('\n').length
  for (const needed of ['analyze', 'genmove_analyze', 'undo', 'set_free_handicap'])
    expect(commands.split('\n').includes(needed), `${needed} is not listed`)
}

async function wholeGame(seen) {
  await tracker.sync({komi: 7.5, boardsize: [SIZE, SIZE], history: []})
  let passes = 0
  let moves = 0
  for (let colour = 'B'; passes < 2 && moves < 3 * SIZE * SIZE; colour = colour === 'B' ? 'W' : 'B') {
    const move = await ask('genmove', colour)
    moves++
    if (move === 'resign') break
    passes = move.toLowerCase() === 'pass' ? passes + 1 : 0
  }
  expect(passes === 2, `no end after ${moves} moves`)
  expect(tracker.state.history.length === moves, 'the tracker has lost count')
  seen.game = {moves, score: await ask('final_score')}
}

// Start an analysis, take some reports, and end it as Sabaki does: by sending something else.
async function abortedAnalysis(seen, command, ...args) {
  const told = []
  let began = 0
  let enough
  const reports = new Promise(resolve => (enough = resolve))
  const answer = controller.sendCommand({name: command, args: args.map(String)}, ({line}) => {
    began = began || performance.now()
    if (line.startsWith('info ')) told.push(readInfo(line))
    if (told.length === 3) enough()
  })
  await reports
  const aborted = performance.now()
  await Promise.all([answer, ask('protocol_version')])
  const wait = performance.now() - aborted
  expect(told.every(report => report.moves.length > 0), 'a report without moves')
  if (args.includes('ownership')) expect(told[0].owners.length === SIZE * SIZE, 'not an owner for each point')
  seen[command] = {reports: told.length, milliseconds: Math.round(wait), best: told[2].moves[0].move}
  return wait
}

async function moveWithAnalysis(seen) {
  let played = null
  let reports = 0
  const before = tracker.state.history.length
  await tracker.queueCommand({name: 'genmove_analyze', args: ['B', '50']}, ({line}) => {
    if (line.startsWith('info ')) reports += readInfo(line).moves.length > 0
    if (line.startsWith('play ')) played = line.slice(5).trim()
  })
  expect(played != null && reports > 0, 'no move or no report')
  await ask('protocol_version')
  expect(tracker.state.history.length === before + 1, 'the move was not taken notice of')
  seen.genmove_analyze = played
}

// Take moves back, all `undo`s at once, while an analysis runs; then forward again. The board must follow.
async function undoBursts(seen) {
  const whole = [...tracker.state.history]
  const board = await ask('showboard')
  let sent = 0
  controller.on('command-sent', ({command}) => (sent += command.name === 'undo'))
  for (const back of [1, 5, Math.floor(whole.length / 2) - 1]) {
    controller.sendCommand({name: 'analyze', args: ['B', '10']}).catch(() => {})
    await tracker.sync({history: whole.slice(0, whole.length - back)})
    expect(tracker.state.history.length === whole.length - back, `not ${back} moves back`)
    await tracker.sync({history: whole})
    expect((await ask('showboard')) === board, `another board after ${back} moves back and forth`)
  }
  seen.undos = sent
}

async function main() {
  const seen = {}
  controller.start()
  await handshake(seen)
  await wholeGame(seen)
  await ask('undo')
  await ask('undo')
  const waits = [
    await abortedAnalysis(seen, 'analyze', 'B', 10),
    await abortedAnalysis(seen, 'kata-analyze', 'W', 10, 'ownership', 'true'),
    await abortedAnalysis(seen, 'lz-analyze', 'B', 10)
  ]
  expect(Math.max(...waits) < 2000, `an analysis took ${Math.max(...waits)} ms to end`)
  await moveWithAnalysis(seen)
  await undoBursts(seen)
  let ended = false
  controller.once('stopped', () => (ended = true))
  const begin = performance.now()
  await controller.stop(10000)
  expect(ended, 'the engine did not end')
  seen.quit = Math.round(performance.now() - begin)
  console.log(JSON.stringify(seen))
}

main().catch(error => {
  console.error(error.message)
  controller.kill()
  process.exit(1)
})
