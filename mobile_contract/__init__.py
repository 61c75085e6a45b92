"""What a phone may rely on: forms, rules, the sync protocol. Imports no web, database or job library."""
