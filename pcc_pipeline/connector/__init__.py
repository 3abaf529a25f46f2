"""Reading an ente's accounting system by remote connection (docs/formats.md, `erp_database`).

`sources` says where and with which credentials, `permission` whether it may be read, `queries` what is asked,
`reading` asks it read-only, `connect` makes a delivery of what came. How deliveries are read is in `staging`.
"""
