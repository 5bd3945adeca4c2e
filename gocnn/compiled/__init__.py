"""What a CPU without fast bfloat16 spends its time on, in compiled code.

3x3 convolutions take a quarter of the multiplications (`vectors`): in `trunk`, the Go network's trunk to play with, and
in `convolution`, a torch operator to train with. `norm_relu` is another, batch normalisation and ReLU in one.
"""
