"""What DynamoDB does and moto does not, put into moto where the conditional writes of this project meet it.

All of it runs in the one thread that answers AWS's requests (`infra.local.aws_server`), so that nothing here needs a
lock.
"""
