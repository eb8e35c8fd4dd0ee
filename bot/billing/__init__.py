"""What the paid API costs: reserve before a call, settle after it, and who may spend how much.

Money is whole credits.
"""
