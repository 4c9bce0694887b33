"""The edge of the analysis: figures, sentences, tables as text, and the page that shows them."""
