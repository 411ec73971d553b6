"""The tasks of the generator: what is asked of a scene, its target and the bounds of its score. One module each.

To come, each a module here and an entry of ``catalogue``: video (motion as signature), audio-visual localisation, dense
tasks on one picture (segmentation with detection), and domain shift (a renderer with another palette).
"""
