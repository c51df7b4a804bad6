"""Decodes recordings (files, pipes and standard input) to 16 kHz mono PCM16, block by block.

::

    ByteSource (peek, read, rewind) -> sniff -> decoder (wav | libsndfile | ffmpeg | raw) -> mix to mono -> resample
                                                                     RecordingReader: a thread and a bounded queue

A decoder is a generator of `Block`s. Memory does not grow with the length of the recording.
"""
