"""Sentinel: pools of the servers of a monitored service.

pools     the pools of a service: its primary or its replicas
watcher   keeps the nodes of one service up to date
sentinel  queries one sentinel
listener  a thread that listens to the announcements of one sentinel
members   the pools of the nodes in one role
"""
