"""Object stores: S3, Google Cloud Storage and Azure, all by obstore.

An object is put whole or not at all, so nothing half-written ever has an output's name. Encoders and decoders work on a
file without a name on this machine. obstore is loaded with the first request, in the process that makes it.
"""
