"""Models: frozen language models, their features on disk, heads trained on them, and the losses that train.

    packaged  the two models that ship inside PyPI wheels      frozen    load a language model; hidden, score, generate
    weights   a name -> a folder of weights, and its identity  features  the store on disk, and the extraction that fills it
    texts     a row -> the texts a model reads                 heads     train many small heads side by side
    losses    named losses, with sources                       student   the Model of the method contract, on features

Import the module you need; this package imports nothing, so that `import aar.models` costs nothing.
"""
