"""How a workflow's code is run: sessions, and what a step, a stage and a whole attempt do.

What is written here are flows: generators that say what is to be done next and are told how it
went. A synchronous and an asynchronous driver perform them, so that there is one implementation.
"""
