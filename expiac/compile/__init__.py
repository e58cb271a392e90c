"""A declaration becomes what planning compares: rendered texts, composed configs, digests."""
