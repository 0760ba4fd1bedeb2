//! The config file and the resource map as they are typed. What they *mean* is [`super::resolve`]'s to say.
