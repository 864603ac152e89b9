/* SPDX-License-Identifier: Apache-2.0
 *
 * The locks of tooz/tooz/drivers/_redis_lock.py and _redis_scripts.py, on one
 * name.
 *
 * Modelled: each script is one step, as it is for the server.  Clients 0 to
 * WRITERS - 1 want the lock exclusively, the others share it.  Each client has
 * one hold at a time, the first waiter of its process, and every hold has a
 * new token.  A client can stop or die at any step.  One client has faults:
 * answers are lost, requests are tried again, given up, or done by the server
 * much later, and the heartbeat comes too late.  The others renew in time,
 * and the model checks that they never lose their lock.  Clocks tick in halves
 * of a lease; a place in the queue lasts for one tick.  With OLDER there is a
 * process of an older tooz, which looks at nothing but the key of the lock.
 *
 * Left out: the key of tooz 8, which every script writes and deletes with that
 * of the lock.  The channel, which is but a hint: a waiter may ask at any time.
 * The queue of the waiters of one process (see file.pml).  BREAK and OWNERS.
 * Servers that lose their data, and clocks that are stepped: the module says
 * that they can lose locks.  More than one late and one abandoned request.
 *
 * The steps and the code:
 *   is_held, hold, make_way          the functions of the same name
 *   acquire, renew, release          ACQUIRE, RENEW, RELEASE
 *   Client                           SharedLock._wait, _RedisHold.try_acquire,
 *                                    give_up and release
 *   Heartbeat                        LockServer.renew, _RedisHold.note_renewal
 *   Late                             what a connection delivers after its end
 *   Time                             the clocks of the server and the clients
 *
 * CLIENTS, WRITERS   how many there are
 * FAULTY             the client that has faults; without it, none has
 * OLDER              there is an older tooz
 * LIVE               nobody stops, dies or gives up, for liveness
 *
 * Damage, which must be found:
 * NO_KEY        who shares leaves the key of the lock alone
 * FIRST_LEAVES  the first of those who share to leave deletes that key
 * NO_COMPARE    a release deletes the key whoever has it
 * LATE_ANSWER   an answer that comes after the lease counts
 * NO_EXPIRY     the key of the lock does not expire
 * NO_QUEUE      who asks does not look who waits in front
 */
#ifndef CLIENTS
#define CLIENTS 3
#endif
#ifndef WRITERS
#define WRITERS 1
#endif
#ifndef LEASE
#define LEASE 2
#endif
#define PLACE 1
#define TOKENS (2 * CLIENTS)
#define NONE 15

/* What the key of the lock says: one of these, or a token + 3. */
#define FREE 0
#define SHARED 1
#define OLD 2
#define says(t) ((t) + 3)

#define shares(t) ((t) / 2 >= WRITERS)
#define token(c) (2 * (c) + attempt[c])
#define believes(c) (inside[c] && left[c] > 0)

/* On the server */
byte lock;                  /* FREE, SHARED, OLD, or whose it is */
byte expires;               /* ticks after which the key expires */
bool sharer[TOKENS];        /* the set of those who share */
byte score[TOKENS];         /* ticks after which a sharer expires */
chan queue = [TOKENS] of { byte };
byte asked[TOKENS];         /* ticks after which a waiter loses its place */

/* In the clients */
byte faulty = NONE;
bit attempt[CLIENTS];
bool inside[CLIENTS];
bool waits[CLIENTS];
byte left[CLIENTS];         /* ticks of the lease, by the local clock */
byte age = LEASE;           /* ticks since the faulty client asked */
byte renewal_age = LEASE;   /* and since it has sent its renewal */
byte abandoned = NONE;      /* the token that its heartbeat releases */
byte late = NONE;           /* the token of its request that is on its way */
byte ended;
bool older_inside;
byte overtaken;             /* how often client 0 was, while it was queued */

byte i, last;
bool held, free, alone, kept, all_free, in_turn;  /* used within one step */

/* No writer beside anybody, and no older exclusive lock beside anybody. */
inline check() {
    last = older_inside * 10;
    for (i : 0 .. CLIENTS - 1) {
        last = last + believes(i) * (i < WRITERS -> 10 : 1)
    }
    alone = last <= 10;
    assert(alone);
    i = 0; last = 0; alone = false
}

/* Scripts */

#define is_free_for(t) (lock == FREE || (lock == SHARED && shares(t)))
#define is_held(t) (lock == SHARED -> sharer[t] : lock == says(t))

inline forget_sharers() {
    for (i : 0 .. TOKENS - 1) { sharer[i] = false; score[i] = 0 }
    i = 0
}

inline set_shared() {
    last = 0;
    for (i : 0 .. TOKENS - 1) {
        if
        :: sharer[i] && score[i] > last -> last = score[i]
        :: else
        fi
    }
    lock = SHARED; expires = last; i = 0; last = 0;
    if
    :: expires == 0 -> lock = FREE; forget_sharers()
    :: else
    fi
}

inline hold(t) {
    if
    :: shares(t) ->
        for (i : 0 .. TOKENS - 1) {
            if
            :: score[i] == 0 -> sharer[i] = false
            :: else
            fi
        }
        sharer[t] = true; score[t] = LEASE;
#ifdef NO_KEY
        i = 0
#else
        set_shared()
#endif
    :: else -> lock = says(t); expires = LEASE
    fi
}

inline leave_queue(t) {
    if
    :: asked[t] > 0 -> asked[t] = 0; queue ?? eval(t)
    :: else
    fi
}

inline acquire(t, place) {
    held = is_held(t);
    free = is_free_for(t);
#ifndef NO_QUEUE
    free = free && (empty(queue) || queue ? [eval(t)]);
#endif
    if
    :: held
    :: else ->
        if
        :: !free ->
            if
            :: place && asked[t] == 0 -> queue ! t; asked[t] = PLACE
            :: place && asked[t] > 0 -> asked[t] = PLACE
            :: else
            fi
        :: else ->
            if
            :: lock == FREE -> forget_sharers()
            :: else
            fi;
            held = true
        fi
    fi;
    if
    :: held -> hold(t); leave_queue(t)
    :: else
    fi;
    free = false
}

inline renew(t) {
    held = is_held(t);
    if
    :: held -> hold(t)
    :: else
    fi
}

inline release(t) {
    held = is_held(t);
    sharer[t] = false; score[t] = 0;
    last = 0;
    for (i : 0 .. TOKENS - 1) { last = last + sharer[i] }
    i = 0;
    if
#ifdef FIRST_LEAVES
    :: held ->
#else
    :: held && last > 0 -> set_shared()
    :: held && last == 0 ->
#endif
        lock = FREE; expires = 0
#ifdef NO_COMPARE
    :: !held -> lock = FREE; expires = 0
#else
    :: else
#endif
    fi;
    last = 0; held = false;
    leave_queue(t)
}

/* Clients */

inline enter() {
    inside[c] = true; waits[c] = false;
    if
    :: c == faulty -> left[c] = LEASE - age; age = LEASE
    :: else -> left[c] = LEASE
    fi;
#ifdef LIVE
    if
    :: c == 0 -> overtaken = 0
    :: c != 0 && asked[token(0)] > 0 ->
        overtaken++; in_turn = overtaken < CLIENTS;
        assert(in_turn); in_turn = false
    :: else
    fi;
#endif
    check()
}

#define is_used(t) (abandoned == (t) || late == (t))

proctype Client(byte c) {
    bool answer;
start:
    atomic {
        !(is_used(2 * c) && is_used(2 * c + 1)) -> attempt[c] = is_used(2 * c)
    }
ask:
    if
    :: atomic {
        c != faulty ->
        d_step { acquire(token(c), waits[c]) };
        if
        :: held -> d_step { held = false; enter() }; goto work
        :: else -> waits[c] = true; goto ask
        fi
      }
    :: d_step {
        c == faulty ->
        acquire(token(c), waits[c]);
        answer = held; held = false; age = (answer -> 0 : LEASE)
      }
    :: atomic {
        c == faulty && late == NONE -> late = token(c);
        if
        :: goto ask
        :: abandoned == NONE -> goto abandon
        :: goto dead
        fi
      }
#ifndef LIVE
    :: atomic { waits[c] -> goto leave }
    :: goto dead
#endif
    fi;
    /* The answer has been lost or comes now, perhaps too late. */
    if
    :: atomic { age = LEASE; answer = false; goto ask }
    :: atomic { abandoned == NONE -> goto abandon }
    :: atomic { !answer -> waits[c] = true; goto ask }
    :: atomic { answer && age == LEASE && waits[c] ->
                answer = false; goto ask }
    :: atomic { answer && age == LEASE && !waits[c] ->
                answer = false; goto leave }
#ifdef LATE_ANSWER
    :: d_step { answer -> answer = false; age = 0; enter() }
#else
    :: d_step { answer && age < LEASE -> answer = false; enter() }
#endif
    fi;
work:
#ifndef LIVE
    if
    :: goto dead
    :: skip
    fi;
#endif
leave:
    if
    :: atomic {
        d_step {
            release(token(c));
            inside[c] = false; left[c] = 0; waits[c] = false
        };
        goto start
      }
    :: atomic { c == faulty && abandoned == NONE -> goto abandon }
    fi;

abandon:
    atomic {
        abandoned = token(c);
        inside[c] = false; left[c] = 0; waits[c] = false;
        answer = false; age = LEASE;
        goto start
    }
dead:
    atomic {
        inside[c] = false; left[c] = 0; waits[c] = false;
        if
        :: c == faulty -> age = LEASE; abandoned = NONE
        :: else
        fi;
        ended++
    }
}

#ifdef FAULTY
/* The server does a renewal as soon as it was sent, the worst case. */
proctype Heartbeat() {
    byte t;
    bool answer;
    do
    :: d_step {
        believes(faulty) ->
        t = token(faulty); renewal_age = 0;
        renew(t); answer = held; held = false
      }
      d_step {
        if
        :: inside[faulty] && t == token(faulty) ->
            left[faulty] = (answer -> LEASE - renewal_age : 0);
            check()
        :: else
        fi;
        renewal_age = LEASE; answer = false; t = 0
      }
    :: d_step { abandoned != NONE -> release(abandoned); abandoned = NONE }
    od
}

proctype Late() {
    do
    :: d_step { late != NONE ->
                acquire(late, true); held = false; late = NONE }
    :: d_step { late != NONE -> late = NONE }
    od
}
#endif

#ifdef OLDER
active proctype Older() {
    do
    :: atomic { lock == FREE ->
         d_step { lock = OLD; expires = LEASE; older_inside = true; check() }
       }
       if
       :: skip
       :: atomic { older_inside = false; goto over }
       fi;
       atomic {
           older_inside = false;
           if
           :: lock == OLD -> lock = FREE; expires = 0
           :: else
           fi
       }
    :: break
    od;
over:
    skip
}
#endif

/* One tick, in which all but the faulty client renew. */
#ifdef NO_EXPIRY
#define EXPIRES false
#else
#define EXPIRES (lock != FREE)
#endif

#ifndef LIVE
active proctype Time() {
    byte c;
    do
    :: d_step {
        EXPIRES || nempty(queue) ||
        (faulty != NONE && (age < LEASE || renewal_age < LEASE ||
                            left[faulty] > 0)) ->
        for (c : 0 .. CLIENTS - 1) {
            if
            :: c != faulty && inside[c] ->
                renew(token(c)); kept = held; held = false;
                assert(kept); kept = false
            :: c != faulty && waits[c] && asked[token(c)] ->
                asked[token(c)] = PLACE + 1
            :: else
            fi
        }
        for (c : 0 .. TOKENS - 1) {
            if
            :: score[c] > 0 && !(c / 2 != faulty && inside[c / 2] &&
                                 token(c / 2) == c) -> score[c]--
            :: else
            fi;
            if
            :: asked[c] > 0 ->
                asked[c]--;
                if
                :: asked[c] == 0 -> queue ?? eval(c)
                :: else
                fi
            :: else
            fi
        }
        if
        :: lock == SHARED ->
            last = 0;
            for (i : 0 .. CLIENTS - 1) {
                last = last + (i != faulty && inside[i])
            }
            i = 0;
            if
            :: last == 0 && EXPIRES -> expires--
            :: else
            fi;
            last = 0
        :: lock == OLD && older_inside
        :: lock == FREE
        :: else ->
            c = (lock - 3) / 2;
            if
            :: lock > OLD && c != faulty && inside[c] && says(token(c)) == lock
            :: else -> expires = expires - EXPIRES
            fi
        fi;
        if
        :: expires == 0 && EXPIRES -> lock = FREE; forget_sharers()
        :: else
        fi;
        if
        :: faulty != NONE && left[faulty] > 0 -> left[faulty]--
        :: else
        fi;
        if
        :: age < LEASE -> age++
        :: else
        fi;
        if
        :: renewal_age < LEASE -> renewal_age++
        :: else
        fi;
        c = 0
      }
    od
}
#endif

/* When all have ended and nothing more can happen, the lock is free. */
active proctype End() {
    timeout ->
    all_free = ended == CLIENTS && lock == FREE && empty(queue);
    assert(all_free)
}

init {
    byte c;
    atomic {
#ifdef FAULTY
        faulty = FAULTY;
        run Heartbeat();
        run Late();
#endif
        for (c : 0 .. CLIENTS - 1) { run Client(c) }
    }
}

ltl not_starved { [] (asked[0] + asked[1] > 0 -> <> inside[0]) }
