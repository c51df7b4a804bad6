"""Recordings as 16 kHz mono PCM16, block by block: files, pipes and standard input, by one path.

::

    ByteSource (peek, read, rewind) -> sniff -> decoder (wav | libsndfile | ffmpeg | raw) -> mix to mono -> resample
                                                                     RecordingReader: a thread and a bounded queue

A decoder is a generator of `Block`s; memory does not grow with the length of the recording.
"""
