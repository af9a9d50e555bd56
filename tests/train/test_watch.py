"""The watch over other processes: one that hangs up or falls silent is lost, one that is done is not."""

import queue
import socket

from train.watch import Watch


def test_a_process_that_hangs_up_is_lost():
    own, other = socket.socketpair()
    lost = queue.Queue()
    Watch({"process 1 (there)": own}, lost.put)
    other.close()
    assert lost.get(timeout=60) == "process 1 (there)"


def test_a_process_that_falls_silent_is_lost_though_it_is_connected():
    silent, _open = socket.socketpair()
    alive, other = socket.socketpair()
    lost, others_lost = queue.Queue(), queue.Queue()
    watched = Watch({"process 0 (here)": other}, others_lost.put, sign=0.05, silence=30)
    Watch({"process 1 (a)": silent, "process 2 (b)": alive}, lost.put, sign=0.05, silence=1.0)
    assert lost.get(timeout=60) == "process 1 (a)"
    watched.stop()
    assert lost.empty() and others_lost.empty()


def test_a_process_that_is_done_is_not_lost():
    own, other = socket.socketpair()
    lost = queue.Queue()
    here = Watch({"process 1": own}, lost.put, sign=0.05, silence=1.0)
    there = Watch({"process 0": other}, lost.put, sign=0.05, silence=1.0)
    there.stop()
    here.stop()
    assert lost.empty()
