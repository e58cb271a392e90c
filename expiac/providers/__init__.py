"""The providers: classes that read, create, update and delete resources on a backend, such as `local` and `skypilot`.

`base` says what a provider is; if you write one, import that from `expiac.provider`. `registry.Providers` has the
providers of a project by name, and `backends.backend_of` says which of them runs a job.
"""
