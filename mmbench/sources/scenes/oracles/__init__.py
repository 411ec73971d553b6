"""Rule-based decoders that read what a modality renders, never a latent: each reaches its bound, all together F*.

They are known answers: a decoder that misses its bound shows a fault of the renderer, of the bound or of a scorer.
"""
