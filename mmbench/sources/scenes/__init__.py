"""Generated scenes: data where fusion is necessary and the attainable score is known.

An item is drawn latent first: classes, signatures and geometry (``stream``, ``regimes``, ``balance``, ``scene``); then
each modality renders its own signature (``rgb``, ``depth``). A regime fixes P(y, s_1, .., s_M), so that the best score
of each modality alone and of all together follow from the draw (``observation``, ``policy``, ``bounds``).
"""

# Raised when any byte of any item or any bound may change; the suites that use the source raise their version with it.
SPEC_VERSION = 1
