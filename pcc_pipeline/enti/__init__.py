"""The provider's register of enti: what it says of each, the life of its service, its overview."""
