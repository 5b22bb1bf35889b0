"""Models made elsewhere: read, opened where they can do no harm, and made fit for a package."""
