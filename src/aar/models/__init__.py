"""Models: frozen language models, their features on disk, heads trained on them, and the losses that train.

    packaged    two models that ship inside PyPI wheels     heads      what a head is; headfile puts one on disk
    weights     a name -> a folder, and its identity        losses     named losses, with sources
    frozen      hidden states, scores, samples              training   many heads side by side
    texts       a row -> the texts a model reads            student    the Model of the method contract, on features
    shards      one file of features                        net        a trainable head, for own loops
    features    the store; extraction fills it              toy        a student without a language model

Import the module you need; this package imports nothing, so that `import aar.models` costs nothing.
"""
