"""The ledger (UC-05.06): every change of every record, chained per record, sealed under Merkle roots, verifiable."""
