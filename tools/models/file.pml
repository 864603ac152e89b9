/* SPDX-License-Identifier: Apache-2.0
 *
 * The locks of tooz/tooz/drivers/_file_lock.py, with the queues of
 * tooz/tooz/_sharing.py, on one name.
 *
 * Modelled: every system call is one step; steps of all threads interleave.
 * An open file has a ticket, a place among the holders, and while somebody
 * takes the whole file at once, both and all other tickets.  The ranks are the
 * offsets of the tickets: who arrived first has the lowest.
 *
 * Left out: arrivals in the same millisecond, forks, pauses of waiters, which
 * may ask at any time once they are first in their process.
 *
 * The steps and the code:
 *   Thread                  SharedLock.acquire, _wait and release
 *   attempt to locked       _FileHold.try_acquire, _join and _lock
 *   forbids, open, drop     _OpenFile.lock and could_lock, _open, unlock
 *   queue                   _Turn and _queues, one for each process
 *   Killer                  the kernel, which drops the locks of a process
 *
 * Threads 0 and 1 share the lock and are of process 0, threads 2 and 3 are of
 * process 1, 2 is exclusive and 3 shares. Thread 4 is exclusive, of process 2.
 *
 * NT=n       the number of threads
 * CRASH      one process is killed at any time
 * REMOVE     who has the lock exclusively may remove the file
 * GIVE_UP    who waits may give up
 * OLDER      a process of an older tooz takes the classic lock of the file
 * FOREVER    who shares comes back for ever, who is exclusive comes once
 *
 * Damage, which must be found:
 * NO_TICKETS who waits does not look for tickets before its own
 * NO_LOOK    who shares the open file of its process looks for no tickets
 * NO_PLACE   who waits does not look for other holders
 * NO_NAME    who has the lock does not look whether its file has a name
 * CLASSIC    locks belong to the process: a close drops all of them
 * NO_COUNT   the first to leave a shared open file closes it
 */
#ifndef NT
#define NT 4
#endif
#define NP 3
#define NO (NT + 1)
#define NONE 15
#define GENERATIONS 3
#define SHARED 1
#define EXCLUSIVE 2

byte process[NT];
byte mode[NT];
byte file[NT];            /* the open file that a thread refers to */
byte rank[NT];            /* 0, or its place in the order of arrival */
bool inside[NT];
bool ticketed[NT];
bool ended[NT];

byte generation[NO];      /* which file it is, 0 if it is closed */
byte whole[NO];           /* the modes of what it has locked */
byte place[NO];
byte ticket[NO];          /* the mode of the ticket */
byte holder[NO];          /* the thread whose ticket it is */
byte references[NO];
byte owner[NO];           /* its process */

byte shared_file[NP];
bool dead[NP];
chan queue[2] = [NT] of { byte };   /* processes 0 and 1 have several */
byte named = 1;           /* the generation that the path names */
byte classic = 0;         /* the generation that an older tooz has locked */
byte together = 0;        /* who is inside: one each that shares, 16 else */
bool alone, all_free;

#define exclude(one, other) \
    (one && other && (one == EXCLUSIVE || other == EXCLUSIVE))
#define same_file(a, b) (a != b && generation[a] == generation[b])

/* Would another open file forbid it to lock ...? */
inline forbids(o, condition) {
    d_step {
        no = (classic == generation[o]);
        for (other : 0 .. NO - 1) {
            if
            :: same_file(other, o) && (condition) -> no = true
            :: else
            fi
        }
        other = 0
    }
}
#define FORBIDS_PLACE exclude(place[other], mode[t])
#define FORBIDS_TICKET exclude(whole[other], mode[t])
#define FORBIDS_WHOLE (exclude(place[other], mode[t]) || \
    exclude(ticket[other], mode[t]))
#define BEFORE (exclude(whole[other], mode[t]) || \
    (exclude(ticket[other], mode[t]) && rank[holder[other]] < rank[t]))
#define AMONG_TICKETS (exclude(whole[other], SHARED) || \
    exclude(ticket[other], SHARED))

inline open(o) {
    d_step {
        o = 0;
        do
        :: o < NO && generation[o] -> o++
        :: else -> break
        od;
        assert(o < NO);
        generation[o] = named;
        owner[o] = process[t];
        references[o] = 1
    }
}

inline close(o) {
    generation[o] = 0;
    whole[o] = 0;
    place[o] = 0;
    ticket[o] = 0;
    holder[o] = 0;
    references[o] = 0;
    if
    :: shared_file[owner[o]] == o -> shared_file[owner[o]] = NONE
    :: else
    fi
}

/* Drop one reference to an open file; with the last its locks go. */
inline drop(o) {
    d_step {
        references[o]--;
        if
#ifdef NO_COUNT
        :: true ->
#else
        :: references[o] == 0 ->
#endif
#ifdef CLASSIC
            for (other : 0 .. NO - 1) {
                if
                :: same_file(other, o) && owner[other] == owner[o] ->
                    place[other] = 0; ticket[other] = 0
                :: else
                fi
            }
            other = 0;
#endif
            close(o)
        :: else
        fi
    }
}

inline arrive() {
    d_step {
        rank[t] = 1;
        for (other : 0 .. NT - 1) {
            if
            :: other != t && rank[other] >= rank[t] ->
               rank[t] = rank[other] + 1
            :: else
            fi
        }
        other = 0
    }
}

inline depart() {
    for (other : 0 .. NT - 1) {
        if
        :: rank[other] > rank[t] -> rank[other]--
        :: else
        fi
    }
    other = 0;
    rank[t] = 0
}

inline enter() {
    d_step {
        depart();
        ticketed[t] = false;
        inside[t] = true;
        together = together + (mode[t] == SHARED -> 1 : 16);
        alone = together <= 16 &&
                (classic != named || generation[file[t]] != named);
        assert(alone); alone = false
    }
}

inline leave() {
    d_step {
        if
        :: inside[t] -> together = together - (mode[t] == SHARED -> 1 : 16)
        :: else
        fi;
        inside[t] = false
    }
}

#define IS_ALONE (process[t] == 2)
#define IS_FIRST (IS_ALONE || queue[process[t] % 2] ? [eval(t)])

proctype Thread(byte t) {
    byte o = NONE, other;
    bool no, waits;
    {
    skip;
start:
    arrive();
    if
    :: IS_ALONE || empty(queue[process[t] % 2]) -> skip
    :: !IS_ALONE && nempty(queue[process[t] % 2]) -> goto wait
    fi;

attempt:
    if
    :: atomic { mode[t] == SHARED && shared_file[process[t]] != NONE ->
        o = shared_file[process[t]];
        references[o]++
      }
      no = (generation[o] != named);
      if
#ifndef NO_LOOK
      :: !no -> forbids(o, AMONG_TICKETS)
#endif
      :: else
      fi;
      atomic {
        if
        :: no -> drop(o); o = NONE
        :: else ->
            if
            :: file[t] != NONE -> ticketed[t] = false; drop(file[t])
            :: else
            fi;
            file[t] = o; o = NONE; no = false;
            goto locked
        fi;
        no = false
      }
    :: mode[t] == EXCLUSIVE || shared_file[process[t]] == NONE -> skip
    fi;

    if
    :: atomic { file[t] == NONE -> open(o); file[t] = o; o = NONE }
    :: else
    fi;
    if
    :: !waits ->
        atomic {
            forbids(file[t], FORBIDS_WHOLE);
            if
            :: no -> no = false; goto refused
            :: else
            fi;
            place[file[t]] = mode[t]; whole[file[t]] = mode[t]
        }
    :: else ->
        if
        :: atomic { ticket[file[t]] == 0 ->
            forbids(file[t], FORBIDS_TICKET);
            if
            :: no -> no = false; goto refused
            :: else
            fi;
            ticket[file[t]] = mode[t]; holder[file[t]] = t; ticketed[t] = true
          }
        :: else
        fi;
#ifndef NO_TICKETS
        atomic {
            forbids(file[t], BEFORE);
            if
            :: no -> no = false; goto refused
            :: else
            fi
        }
#endif
        atomic {
#ifndef NO_PLACE
            forbids(file[t], FORBIDS_PLACE);
#endif
            if
            :: no -> no = false; goto refused
            :: else
            fi;
            place[file[t]] = mode[t]
        }
    fi;
    d_step { whole[file[t]] = 0; ticket[file[t]] = 0; holder[file[t]] = 0 };
    if
    :: mode[t] == SHARED -> shared_file[process[t]] = file[t]
    :: else
    fi;

locked:
    atomic {
        if
#ifndef NO_NAME
        :: generation[file[t]] != named ->
            ticketed[t] = false; drop(file[t]); file[t] = NONE; goto attempt
#endif
        :: else
        fi;
        enter()
    }
    atomic {
        if
        :: waits && !IS_ALONE -> queue[process[t] % 2] ?? eval(t)
        :: else
        fi;
        waits = false
    }
    if
    :: skip
#ifdef REMOVE
    :: atomic { mode[t] == EXCLUSIVE && named < GENERATIONS &&
                generation[file[t]] == named -> leave(); named++ }
#endif
    fi;
    leave();
    atomic { drop(file[t]); file[t] = NONE };
    if
#ifdef FOREVER
    :: mode[t] == SHARED -> goto start
    :: mode[t] == EXCLUSIVE -> goto done
#else
    :: goto start
    :: goto done
#endif
    fi;

refused:
#ifdef GIVE_UP
    if
    :: skip
    :: atomic {
        drop(file[t]); file[t] = NONE; ticketed[t] = false;
        depart();
        if
        :: waits && !IS_ALONE -> queue[process[t] % 2] ?? eval(t)
        :: else
        fi;
        waits = false;
        goto done
      }
    fi;
#endif
    if
    :: waits -> goto attempt
    :: else
    fi;
wait:
    atomic {
        waits = true;
        if
        :: IS_ALONE
        :: else -> queue[process[t] % 2] ! t
        fi
    }
    atomic { IS_FIRST -> goto attempt };
done:
    ended[t] = true
    } unless { dead[process[t]] }
}

#ifdef CRASH
active proctype Killer() {
    byte p, t, o;
    select (p : 0 .. NP - 1);
    skip;
    d_step {
        dead[p] = true;
        for (o : 0 .. NO - 1) {
            if
            :: generation[o] && owner[o] == p -> close(o)
            :: else
            fi
        }
        for (t : 0 .. NT - 1) {
            if
            :: process[t] == p ->
                if
                :: inside[t] ->
                   together = together - (mode[t] == SHARED -> 1 : 16)
                :: else
                fi;
                inside[t] = false;
                ticketed[t] = false;
                rank[t] = 0;
                file[t] = NONE
            :: else
            fi
        }
    }
}
#endif

#ifdef OLDER
active proctype Older() {
    byte o;
    bool no;
    do
    :: d_step {
        no = false;
        for (o : 0 .. NO - 1) {
            if
            :: generation[o] && (place[o] || ticket[o]) -> no = true
            :: else
            fi
        }
        if
        :: no
        :: else ->
            classic = named; alone = (together == 0);
            assert(alone); alone = false
        fi;
        o = 0
      }
      classic = 0
    :: break
    od
}
#endif

/* When nothing more can happen, nothing is locked and nobody waits. */
active proctype End() {
    byte o;
    timeout ->
    d_step {
        all_free = (classic == 0);
        for (o : 0 .. NO - 1) { all_free = all_free && !generation[o] }
        for (o : 0 .. NT - 1) {
            all_free = all_free && (ended[o] || dead[process[o]])
        }
        assert(all_free)
    }
}

init {
    byte t;
    d_step {
        process[2] = 1;
        mode[0] = SHARED; mode[1] = SHARED; mode[2] = EXCLUSIVE;
#if NT > 3
        process[3] = 1; mode[3] = SHARED;
#endif
#if NT > 4
        process[4] = 2; mode[4] = EXCLUSIVE;
#endif
        for (t : 0 .. NP - 1) { shared_file[t] = NONE }
        for (t : 0 .. NT - 1) { file[t] = NONE }
        t = 0
    }
    atomic {
        for (t : 0 .. NT - 1) { run Thread(t) }
    }
}

/* Who has a ticket gets in, however many share the lock by turns. */
ltl not_starved { [] (ticketed[2] -> <> (inside[2] || !ticketed[2])) }
