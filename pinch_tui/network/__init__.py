"""The way to a service: which proxy, which certificates. One decision for sessions, sockets, jobs and the doctor."""
