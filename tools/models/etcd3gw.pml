/* SPDX-License-Identifier: Apache-2.0
 *
 * The locks of tooz/tooz/drivers/_etcd3gw_lock.py, _etcd3gw_keys.py and
 * _etcd3gw_session.py, on one name.
 *
 * Modelled: each transaction is one step, as it is for the server.  Clients 0
 * to WRITERS - 1 want the lock exclusively, the others share it.  Each client
 * has one hold at a time, the first waiter of its process, and every hold has
 * a new id, here a token.  With DEATH one client dies at any step.  The FAULTY
 * client renews its leases when it likes, answers to it are lost, and a
 * request of it is done by the server much later.  When its lease is over by
 * its own clock, it counts as dead.  The others renew in time, and the model
 * checks that they never lose their lock.  Clocks tick in halves of a lease;
 * the lease of a shared lock's key lasts for five ticks.  With OLDER there is
 * an older tooz, which looks at nothing but the key of the lock.
 *
 * Left out: watches, which are but hints: a waiter may ask at any time.  The
 * queue of the waiters of one process (see file.pml).  A new lease after a
 * lost one.  break_ and owners.  More than one late and one abandoned request.
 * Servers that lose what they have confirmed.
 *
 * The steps and the code:
 *   acquire             _Etcd3Hold._question and _queue_up
 *   Client, keep        SharedLock._wait, _Etcd3Hold.try_acquire, _is_kept
 *   undo                _undo, by give_up or by Session._delete_abandoned
 *   release_last, leave release, which compares whether others share the lock;
 *                       with others of its process it counts them afterwards
 *   free_unshared       Session.free_unshared
 *   Heartbeat           Session.heartbeat
 *   Late                what a connection delivers after its end
 *   Time                the clocks of the server and the clients
 *
 * CLIENTS, WRITERS   how many there are
 * FAULTY             the client that has faults; without it, none has
 * DEATH, OLDER       a client dies; there is an older tooz
 * LIVE               nobody stops or gives up, for liveness
 *
 * Damage, which must be found:
 * NO_KEY        who shares leaves the key of the lock alone
 * NO_COMPARE    who stops sharing deletes that key although others share it
 * NO_KEEP       who joins does not look whether the lease could be renewed
 * KEEP_LONE     who joins renews the lease only if it counts no other: a key
 *               whose answer was lost counts, but nobody renews it
 * NO_RENEWAL    who joins never renews the lease of the lock's key
 * NO_GUARD      the server does what was given up
 * NO_FREE       heartbeats leave the key of a lock that nobody shares
 * NO_TICKETS    who asks does not look who waits in front
 */
#ifndef CLIENTS
#define CLIENTS 3
#endif
#ifndef WRITERS
#define WRITERS 1
#endif
#ifndef FAULTY
#define FAULTY NONE
#endif
#define LEASE 2
#define LONG 5
#define TOKENS (2 * CLIENTS)
#define NONE 15

/* What the key of the lock says: one of these, or a token + 3. */
#define FREE 0
#define SHARED 1
#define OLD 2
#define says(t) ((t) + 3)

#define shares(t) ((t) / 2 >= WRITERS)
#define token(c) (2 * (c) + attempt[c])
#define believes(c) (inside[c] && !dead[c])
#define is_healthy(c) (!dead[c] && (c != FAULTY || finished[c]))

/* On the server */
byte lock;                  /* FREE, SHARED, OLD, or whose it is */
byte under;                 /* whose lease the key is under if it is shared */
bool sharer[TOKENS];        /* the keys of those who share */
byte rank[TOKENS];          /* the tickets in order, 0 for none */
byte own_lease[CLIENTS];    /* ticks that the two leases of a client last */
byte shared_lease[CLIENTS];

/* In the clients */
bit attempt[CLIENTS];
bool inside[CLIENTS];
bool dead[CLIENTS];
bool finished[CLIENTS];
byte joined[CLIENTS];       /* whose lease it renews besides its own ones */
byte left;                  /* ticks of the faulty client, by its clock */
byte abandoned = NONE;      /* the token that its heartbeat deletes */
byte late = NONE;           /* the token of its request that is on its way */
bool late_waits;
bool older_inside;
byte overtaken;             /* how often client 0 was, with a ticket */

byte i, sharers, in_front;  /* used within one step only */
bool alone, kept, all_free, in_turn;

/* No writer beside anybody, and no older exclusive lock beside anybody. */
inline check() {
    in_front = older_inside * 10;
    for (i : 0 .. CLIENTS - 1) {
        in_front = in_front + believes(i) * (i < WRITERS -> 10 : 1)
    }
    alone = in_front <= 10;
    assert(alone);
    i = 0; in_front = 0; alone = false
}

inline count_sharers() {
    sharers = 0;
    for (i : 0 .. TOKENS - 1) { sharers = sharers + sharer[i] }
    i = 0
}

inline delete_ticket(t) {
    if
    :: rank[t] > 0 ->
        for (i : 0 .. TOKENS - 1) {
            rank[i] = rank[i] - (rank[i] > rank[t])
        }
        rank[t] = 0; i = 0
    :: else
    fi
}

#ifdef KEEP_LONE
#define RENEWS (sharers == 0)
#else
#define RENEWS true
#endif

/* The answer: 0 refused, 1 granted, 2 joined others. */
inline acquire(t, waits) {
    answer = 0; in_front = 0;
#ifndef NO_TICKETS
    for (i : 0 .. TOKENS - 1) {
        in_front = in_front + (rank[i] > 0 && !(shares(t) && shares(i)) &&
                               (rank[t] == 0 || rank[i] < rank[t]))
    }
#endif
    count_sharers();
    if
    :: in_front == 0 && shares(t) && lock == FREE ->
        sharer[t] = true; answer = 1; joined[(t) / 2] = (t) / 2;
#ifndef NO_KEY
        lock = SHARED; under = (t) / 2
#endif
    :: in_front == 0 && shares(t) && lock == SHARED ->
        sharer[t] = true; joined[(t) / 2] = under;
        answer = (RENEWS && under != (t) / 2 -> 2 : 1)
    :: in_front == 0 && !shares(t) &&
       (lock == FREE || (lock == SHARED && sharers == 0)) ->
        lock = says(t); under = 0; answer = 1
    :: else ->
        if
        :: waits && rank[t] == 0 ->
            in_front = 0;
            for (i : 0 .. TOKENS - 1) {
                in_front = (rank[i] > in_front -> rank[i] : in_front)
            }
            rank[t] = in_front + 1
        :: else
        fi
    fi;
    if
    :: answer -> delete_ticket(t)
    :: else
    fi;
    i = 0; in_front = 0; sharers = 0
}

inline undo(t) {
    sharer[t] = false;
    if
    :: lock == says(t) -> lock = FREE
    :: else
    fi;
    delete_ticket(t)
}

inline free_unshared() {
    count_sharers();
    if
    :: lock == SHARED && sharers == 0 -> lock = FREE; under = 0
    :: else
    fi;
    sharers = 0
}

inline end_lease(c) {
    undo(2 * c); undo(2 * c + 1)
}

inline enter() {
    inside[c] = true; answer = 0; waits = false;
#ifdef LIVE
    if
    :: c == 0 -> overtaken = 0
    :: c != 0 && rank[token(0)] > 0 ->
        overtaken++; in_turn = overtaken < CLIENTS;
        assert(in_turn); in_turn = false
    :: else
    fi;
#endif
    check()
}

#define is_used(t) (abandoned == (t) || late == (t))

proctype Client(byte c) {
    byte answer;
    bool waits;
  {
    skip;
start:
    atomic {
        !(is_used(2 * c) && is_used(2 * c + 1)) -> attempt[c] = is_used(2 * c)
    }
ask:
    if
    :: atomic {
        true ->
        d_step { acquire(token(c), waits) };
        if
        :: answer == 1 -> d_step { enter() }; goto work
        :: answer == 2 -> goto keep
        :: answer == 0 -> waits = true; goto ask
        :: c == FAULTY && abandoned == NONE -> goto abandon
        fi
      }
    :: atomic {
        c == FAULTY && late == NONE && abandoned == NONE ->
        late = token(c); late_waits = waits; goto abandon
      }
#ifndef LIVE
    :: atomic { waits -> goto stop }
#endif
    fi;

keep:
    atomic {
        if
#ifndef NO_KEEP
        :: shared_lease[joined[c]] == 0 -> answer = 0; waits = false; goto stop
#endif
        :: else ->
            d_step {
#ifndef NO_KEEP
                shared_lease[joined[c]] = LONG;
#endif
                enter()
            };
            goto work
        fi
    }

work:
    atomic { inside[c] = false };
    if
    :: d_step {
        /* release_last */
        shares(token(c)) ->
        sharer[token(c)] = false;
#ifdef NO_COMPARE
        lock = FREE; under = 0;
#else
        free_unshared();
#endif
        joined[c] = NONE
      }
    :: atomic {
        /* leave */
        shares(token(c)) -> sharer[token(c)] = false; joined[c] = NONE
      }
      d_step { free_unshared() }
    :: c < WRITERS -> goto stop
    :: atomic { c == FAULTY && abandoned == NONE -> goto abandon }
    fi;
    goto end;

stop:
    atomic { undo(token(c)); joined[c] = NONE; waits = false };
    goto end;

abandon:
    atomic {
        abandoned = token(c); inside[c] = false; joined[c] = NONE;
        answer = 0; waits = false
    };

end:
    if
    :: goto start
#ifndef LIVE
    :: finished[c] = true; false
#endif
    fi
  } unless { dead[c] }
}

#if CLIENTS == 2
#define is_shared (sharer[2] || sharer[3] || sharer[1] || sharer[0])
#else
#define is_shared (sharer[2] || sharer[3] || sharer[4] || sharer[5])
#endif

inline renew_long(c) {
    shared_lease[c] = (shared_lease[c] > 0 -> LONG : 0)
}

inline renew_joined(c) {
#ifndef NO_RENEWAL
    if
    :: joined[c] != NONE -> renew_long(joined[c])
    :: else
    fi
#else
    skip
#endif
}

inline renew_faulty() {
    renew_joined(FAULTY);
    renew_long(FAULTY);
    own_lease[FAULTY] = (own_lease[FAULTY] > 0 -> LEASE : 0)
}

inline die(c) {
    dead[c] = true; inside[c] = false; joined[c] = NONE;
    if
    :: c == FAULTY -> abandoned = NONE; left = 0
    :: else
    fi
}

#ifdef DEATH
active proctype Death() {
    byte c;
    select (c : 0 .. CLIENTS - 1);
    skip;
    d_step { die(c); c = 0 }
}
#endif

active proctype Heartbeat() {
    byte answer;
    do
    /* Renew the leases; the answer is lost or not. */
    :: d_step {
        FAULTY != NONE && !dead[FAULTY] && left < LEASE -> renew_faulty();
        left = LEASE
      }
    :: d_step {
        FAULTY != NONE && !dead[FAULTY] && own_lease[FAULTY] < LEASE ->
        renew_faulty()
      }
    :: d_step {
        abandoned != NONE -> undo(abandoned); abandoned = NONE;
#ifndef NO_GUARD
        late = NONE; late_waits = false
#endif
      }
#ifndef NO_FREE
    :: d_step { lock == SHARED && !dead[under] && !is_shared ->
                free_unshared() }
#endif
    :: d_step {
        late != NONE && own_lease[FAULTY] > 0 -> acquire(late, late_waits);
        answer = 0; late = NONE; late_waits = false
      }
    :: d_step { late != NONE -> late = NONE; late_waits = false }
    od
}

#ifdef OLDER
active proctype Older() {
    do
    :: atomic {
        lock == FREE ->
        d_step { lock = OLD; older_inside = true; check() }
      }
      atomic {
        older_inside = false;
        if
        :: lock == OLD -> lock = FREE
        :: else
        fi
      }
    :: break
    od
}
#endif

#define runs_out(c) (!is_healthy(c) && shared_lease[c] > 0)

/* One tick, in which the healthy clients renew. */
active proctype Time() {
    byte c;
    do
    :: d_step {
        runs_out(0) || runs_out(1) || runs_out(CLIENTS - 1) ->
        for (c : 0 .. CLIENTS - 1) {
            if
            :: is_healthy(c) ->
                renew_joined(c);
                kept = !inside[c] || lock == says(token(c)) ||
                       (lock == SHARED && sharer[token(c)]);
                assert(kept); kept = false
            :: else
            fi
        }
        for (c : 0 .. CLIENTS - 1) {
            if
            :: is_healthy(c)
            :: else ->
                own_lease[c] = own_lease[c] - (own_lease[c] > 0);
                shared_lease[c] = shared_lease[c] - (shared_lease[c] > 0);
                if
                :: own_lease[c] == 0 -> end_lease(c)
                :: else
                fi;
                if
                :: shared_lease[c] == 0 && lock == SHARED && under == c ->
                    lock = FREE; under = 0
                :: else
                fi;
                if
                :: c == FAULTY && left > 0 ->
                    left--;
                    if
                    :: left == 0 -> die(c)
                    :: else
                    fi
                :: else
                fi
            fi
        }
        c = 0
      }
    od
}

/* When nothing more can happen, the lock is free. */
active proctype End() {
    timeout ->
    all_free = lock == FREE && !is_shared;
    assert(all_free)
}

init {
    byte c;
    atomic {
        left = (FAULTY == NONE -> 0 : LEASE);
        for (c : 0 .. CLIENTS - 1) {
            own_lease[c] = LEASE; shared_lease[c] = LONG; joined[c] = NONE;
            run Client(c)
        }
        c = 0
    }
}

ltl not_starved { [] (rank[0] > 0 -> <> (inside[0] || dead[0])) }
