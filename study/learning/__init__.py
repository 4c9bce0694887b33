"""The classifier and its attention: models, Grad-CAM, guidance losses, training, evaluation."""
