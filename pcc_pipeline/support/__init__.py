"""The support desk: tickets from their opening to the client's judgement, and the figures counted from them at each look.

`working` knows how much support time lies between two moments; `tickets` is what is done to a ticket; `reading` what is
shown of it; `figures` counts; `relations` is how the night's models see it all; `attachments` keeps files; `notices` says by
mail what happened. Nothing here is a delivery, and nothing starts a run. Who may do what is the desk's to ask.
"""
