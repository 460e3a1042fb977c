"""Undo: how a change set, or one field of an object, is put back to what the record says it was.

The rows that a change set wrote are staged and locked (staging, tables); rules say which of them
stay as they are and why (rules, guards); what is left is a plan (plan) that a person sees first
(names, wording) and that is then written as it was shown (services, writing). One field of one
object goes its own short way (field).
"""
