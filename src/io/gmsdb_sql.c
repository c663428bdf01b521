/* SPDX-License-Identifier: Apache-2.0 */
/* Every statement of the group management server, prepared when the database is opened. Numbers of states: gmsdb_int.h.
 */
#include "io/gmsdb_int.h"

/* Keys that serve a group and have no successor. */
#define STAYS "kg.ended = 0 AND kg.successor IS NULL AND kg.revoke = 0"
/* A job stands where its round stands. */
#define RANK "(SELECT rank FROM round WHERE id = ?1)"
/* Groups whose GKTP documents show a key: those it serves, and the constituents of a temporary one. */
#define SHOWN_IN                                                                                                       \
    "(SELECT grp FROM gkey_group WHERE gkey = ?1 UNION "                                                               \
    "SELECT c.grp FROM constituent c JOIN gkey_group kg ON kg.grp = c.temporary WHERE kg.gkey = ?1)"
/* What of a key a member may see: the latest shown payload; of a key that was revoked, or left the group, status 0. */
#define VISIBLE                                                                                                        \
    "r.state = 1 AND ((k.state = 1 AND (kg.ended = 0 OR r.status = 0)) OR (k.state = 2 AND r.status = 0)) AND "        \
    "p.round = (SELECT max(p2.round) FROM payload p2 JOIN round r2 ON r2.id = p2.round AND r2.state = 1 "              \
    "WHERE p2.gkey = k.id AND p2.member = p.member)"

const char *const mcx_gmsdb_sql[NUM_QUERIES] = {
    [Q_BEGIN] = "BEGIN IMMEDIATE",
    [Q_BEGIN_READ] = "BEGIN",
    [Q_COMMIT] = "COMMIT",
    [Q_ROLLBACK] = "ROLLBACK",
    [Q_GMS] = "SELECT uri, seal_check FROM gms WHERE id = 1",
    [Q_GMS_SET] = "INSERT INTO gms (id, uri, us_per_payload, seal_check) VALUES (1, ?1, ?2, ?3)",
    [Q_SPEED] = "SELECT us_per_payload FROM gms WHERE id = 1",
    [Q_SPEED_SET] = "UPDATE gms SET us_per_payload = ?1 WHERE id = 1",
    [Q_ETAG_NEXT] = "UPDATE gms SET latest_etag = max(latest_etag + 1, ?1) WHERE id = 1",
    [Q_ETAG] = "SELECT latest_etag FROM gms WHERE id = 1",
    [Q_AUDIT_ADD] = "INSERT INTO audit (time_ms, who, event, grp, subject) VALUES (?1, ?2, ?3, ?4, ?5)",
    [Q_AUDITS] = "SELECT seq, time_ms, who, event, grp, subject FROM audit ORDER BY seq",

    [Q_GROUP] = "SELECT id, temporary, protect_media, multicast_floor, kind FROM grp WHERE uri = ?1",
    [Q_GROUP_ADD] = "INSERT INTO grp (uri, display_name, kind, protect_media, protect_floor, multicast_floor, "
                    "max_participants, priority, temporary, requestor, etag, gktp_etag, created_ms) "
                    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, 0, ?11)",
    [Q_GROUP_DROP] = "DELETE FROM grp WHERE id = ?1",
    [Q_GROUP_TOUCH] = "UPDATE grp SET etag = ?2, gktp_etag = ?2 WHERE id = ?1",
    [Q_GROUP_TOUCH_GKTP] = "UPDATE grp SET gktp_etag = ?2 WHERE id = ?1",
    [Q_GROUP_HEAD] = "SELECT id, uri, display_name, kind, protect_media, protect_floor, multicast_floor, "
                     "max_participants, priority, temporary, requestor, etag FROM grp WHERE id = ?1",
    [Q_GROUPS] = "SELECT g.id, g.uri, g.display_name, g.kind, g.protect_media, g.protect_floor, g.multicast_floor, "
                 "g.max_participants, g.priority, g.temporary, g.requestor, g.etag, "
                 "(SELECT count(*) FROM member m WHERE m.grp = g.id), "
                 "coalesce((SELECT t.uri FROM constituent c JOIN grp t ON t.id = c.temporary WHERE c.grp = g.id), '') "
                 "FROM grp g WHERE ?1 = '' OR g.uri = ?1 ORDER BY g.uri",
    [Q_CONSTITUENT_ADD] = "INSERT INTO constituent (temporary, grp) VALUES (?1, ?2)",
    [Q_CONSTITUENTS] = "SELECT g.uri FROM constituent c JOIN grp g ON g.id = c.grp WHERE c.temporary = ?1 ORDER BY 1",
    [Q_CONSTITUENTS_TOUCH] = "UPDATE grp SET etag = ?2, gktp_etag = ?2 "
                             "WHERE id IN (SELECT grp FROM constituent WHERE temporary = ?1)",
    [Q_TEMPORARY_OF] = "SELECT temporary FROM constituent WHERE grp = ?1",
    [Q_TEMPORARY_SHOWN] = "SELECT t.id, t.uri, t.requestor FROM constituent c JOIN grp t ON t.id = c.temporary "
                          "WHERE c.grp = ?1 AND (t.protect_media = 0 OR EXISTS (SELECT 1 FROM gkey_group kg "
                          "JOIN gkey k ON k.id = kg.gkey WHERE kg.grp = t.id AND k.state = 1))",
    [Q_MEMBER_ADD] = "INSERT INTO member (grp, uri, display_name, priority, receive_only, added_ms) "
                     "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [Q_MEMBER_DROP] = "DELETE FROM member WHERE grp = ?1 AND uri = ?2",
    [Q_MEMBER] = "SELECT 1 FROM member WHERE grp = ?1 AND uri = ?2",
    [Q_MEMBERS] = "SELECT uri, display_name, priority, receive_only FROM member WHERE grp = ?1 ORDER BY uri",
    /* Those that the change at hand brings in: gmsdb_scratch. */
    [Q_NEWCOMERS] = "SELECT count(*) FROM temp.newcomer",
    [Q_NEWCOMERS_DROP] = "DELETE FROM temp.newcomer",
    [Q_NEWCOMERS_KNOWN] = "DELETE FROM temp.newcomer WHERE uri IN (SELECT uri FROM member WHERE grp = ?1)",
    [Q_NEWCOMER_ADD] = "INSERT INTO temp.newcomer (uri) VALUES (?1)",
    [Q_MEMBERS_UNITE] = "INSERT OR IGNORE INTO member (grp, uri, display_name, priority, receive_only, added_ms) "
                        "SELECT ?1, m.uri, m.display_name, m.priority, m.receive_only, ?2 FROM member m "
                        "WHERE m.grp IN (SELECT grp FROM constituent WHERE temporary = ?1)",
    [Q_MEMBER_ELSEWHERE] = "SELECT 1 FROM constituent c JOIN member m ON m.grp = c.grp "
                           "WHERE c.temporary = ?1 AND m.uri = ?2 LIMIT 1",
    [Q_GROUPS_OF_MEMBER] = "SELECT g.uri FROM member m JOIN grp g ON g.id = m.grp WHERE m.uri = ?1 AND "
                           "g.temporary = 0 LIMIT 1",

    [Q_KEY_ADD] = "INSERT INTO gkey (type, key_id, sealed, state, urgent, cause, activation, expiry, created_ms) "
                  "VALUES (?1, ?2, ?3, 0, ?4, ?5, 0, 0, ?6)",
    [Q_KEY_DROP] = "DELETE FROM gkey WHERE id = ?1",
    [Q_KEY_GROUPS_DROP] = "DELETE FROM gkey_group WHERE gkey = ?1",
    [Q_KEY_SEALED] = "SELECT type, key_id, sealed FROM gkey WHERE id = ?1",
    [Q_KEY_MEMBERS] = "SELECT m.uri FROM gkey_group kg JOIN member m ON m.grp = kg.grp WHERE kg.gkey = ?1 "
                      "AND kg.ended = 0 AND (?2 = 2 OR (m.uri IN (SELECT uri FROM temp.newcomer)) = ?2)",
    [Q_GUKS_DROP] = "DELETE FROM temp.guk",
    [Q_GUK_ADD] = "INSERT OR IGNORE INTO temp.guk (id, uri) VALUES (?1, ?2)",
    /* The CSB ID of an I_MESSAGE is the GUK-ID: TS 33.180 E.1.2. */
    [Q_GUK_MET] =
        "SELECT EXISTS (SELECT 1 FROM temp.guk WHERE id = ?1 AND uri <> ?2) OR EXISTS (SELECT 1 FROM payload p "
        "JOIN gkey k ON k.id = p.gkey WHERE p.member = ?2 AND substr(p.message, 5, 4) = ?3 "
        "AND k.state IN (0, 1) AND k.id <> ?4)",
    [Q_KEY_GROUP_ADD] = "INSERT INTO gkey_group (gkey, grp) VALUES (?1, ?2)",
    [Q_KEY_GROUPS] = "SELECT DISTINCT o.grp FROM gkey_group kg JOIN gkey k ON k.id = kg.gkey "
                     "JOIN gkey_group o ON o.gkey = kg.gkey AND o.ended = 0 "
                     "WHERE kg.grp = ?1 AND k.type = ?2 AND k.state IN (0, 1) AND " STAYS,
    [Q_KEY_NUM_GROUPS] = "SELECT count(*) FROM gkey_group WHERE gkey = ?1 AND ended = 0",
    [Q_KEYS_OF_GROUP] =
        "SELECT k.id, k.state, k.activation, k.type FROM gkey_group kg JOIN gkey k ON k.id = kg.gkey "
        "WHERE kg.grp = ?1 AND kg.ended = 0 AND k.state IN (0, 1) AND k.id <> ?2 "
        "AND (k.type = ?3 OR ?3 = 255) AND (?4 = 0 OR (" STAYS ") OR (?4 = 2 AND kg.revoke = 0)) ORDER BY k.id",
    [Q_KEY_OF_ID] = "SELECT k.id, k.state FROM gkey k JOIN gkey_group kg ON kg.gkey = k.id "
                    "WHERE kg.grp = ?1 AND kg.ended = 0 AND k.key_id = ?2 AND (k.state IN (0, 1) OR "
                    "(k.state = 3 AND (k.expiry = 0 OR k.expiry > ?3)))",
    /* Given out once, and still good at the radios of those who were members then. */
    [Q_KEY_PAST] = "SELECT k.id, k.state FROM gkey_group kg JOIN gkey k ON k.id = kg.gkey WHERE kg.grp = ?1 "
                   "AND k.type = ?2 AND (k.expiry = 0 OR k.expiry > ?3) AND (k.state = 3 OR (k.state IN (1, 2) "
                   "AND kg.ended <> 0 AND kg.revoke = 0)) ORDER BY k.id LIMIT 1",
    [Q_KEY_UNTOLD] = "SELECT grp FROM gkey_group WHERE gkey = ?1 AND ended <> 0 AND revoke = 0 LIMIT 1",
    [Q_KEY_TELL] = "UPDATE gkey_group SET revoke = 1 WHERE gkey = ?1 AND grp = ?2",
    [Q_KEY_TOLD] = "SELECT count(*) FROM gkey_group WHERE gkey = ?1 AND ended <> 0 AND revoke = 1",
    [Q_KEY_LEAVE_ALL] = "UPDATE gkey_group SET ended = ?2, successor = NULL WHERE gkey = ?1 AND ended = 0",
    [Q_HELD_ELSEWHERE] = "SELECT o.grp FROM gkey_group kg JOIN gkey k ON k.id = kg.gkey "
                         "JOIN gkey_group o ON o.gkey = k.id AND o.grp <> kg.grp "
                         "WHERE kg.grp = ?1 AND k.state = 1 AND o.ended = 0 AND o.revoke = 0 LIMIT 1",
    [Q_KEY_STATE] = "SELECT state, activation, expiry, urgent, type FROM gkey WHERE id = ?1",
    [Q_KEY_PUBLISH] = "UPDATE gkey SET state = 1, activation = ?2, expiry = ?3 WHERE id = ?1",
    [Q_KEY_END] = "UPDATE gkey SET state = ?2, ended_ms = ?3 WHERE id = ?1",
    [Q_KEY_SUCCEED] = "UPDATE gkey_group SET successor = ?3, revoke = max(revoke, ?4) WHERE gkey = ?1 AND grp = ?2",
    [Q_KEY_INHERIT] =
        "UPDATE gkey_group SET successor = ?3, revoke = max(revoke, ?4) WHERE successor = ?1 AND grp = ?2",
    [Q_KEY_REVOKE_ALL] = "UPDATE gkey_group SET revoke = 1, successor = NULL WHERE gkey = ?1 AND ended = 0",
    [Q_KEY_UNBIND] = "DELETE FROM gkey_group WHERE gkey = ?1 AND grp = ?2",
    [Q_KEY_SUCCESSOR_DONE] = "UPDATE gkey_group SET ended = ?3, successor = NULL WHERE gkey = ?1 AND grp = ?2",
    [Q_KEY_LEFT] = "SELECT count(*) FROM gkey_group WHERE gkey = ?1 AND ended = 0 "
                   "AND (revoke = 0 OR successor IS NOT NULL)",
    [Q_KEY_TOUCH] = "UPDATE grp SET gktp_etag = ?2 WHERE id IN " SHOWN_IN,
    [Q_KEY_CONSTITUENTS_TOUCH] = "UPDATE grp SET etag = ?2 WHERE id IN (SELECT c.grp FROM constituent c "
                                 "JOIN gkey_group kg ON kg.grp = c.temporary WHERE kg.gkey = ?1)",
    [Q_SWITCHES] = "SELECT kg.gkey, kg.grp, kg.successor, kg.revoke FROM gkey_group kg "
                   "JOIN gkey s ON s.id = kg.successor JOIN gkey k ON k.id = kg.gkey "
                   "WHERE kg.successor IS NOT NULL AND k.state = 1 AND kg.ended = 0 AND s.state IN (1, 2, 3) "
                   "AND s.activation + CASE kg.revoke WHEN 1 THEN 0 ELSE ?2 END <= ?1 LIMIT 1",
    [Q_SWITCH_OTHERS] = "SELECT count(*) FROM gkey_group WHERE gkey = ?1 AND grp <> ?2 AND ended = 0 "
                        "AND (successor IS NULL OR successor <> ?3)",
    [Q_AGED] = "SELECT kg.grp, CASE WHEN k.created_ms < ?4 THEN 'key period' WHEN k.expiry <> 0 AND k.expiry <= ?3 "
               "THEN 'expiry' ELSE 'periodic' END FROM gkey_group kg JOIN gkey k ON k.id = kg.gkey "
               "WHERE k.state = 1 AND " STAYS " AND ((?2 <> 0 AND k.activation + ?2 <= ?1) "
               /* not before it is active: where the work takes longer than a key lives, one after the other */
               "OR (k.expiry <> 0 AND k.expiry <= ?3 AND k.activation <= ?1) OR k.created_ms < ?4) LIMIT 1",
    [Q_STALE] = "SELECT k.id FROM gkey k WHERE k.state = 1 "
                "AND EXISTS (SELECT 1 FROM payload p WHERE p.gkey = k.id AND p.kms = ?1 AND p.t_ms < ?2) "
                "AND NOT EXISTS (SELECT 1 FROM round r WHERE r.gkey = k.id AND r.state = 0) "
                "AND NOT EXISTS (SELECT 1 FROM round r JOIN job j ON j.round = r.id AND j.state = 2 "
                "WHERE r.gkey = k.id AND r.started_ms >= ?2) "
                "AND EXISTS (SELECT 1 FROM gkey_group kg WHERE kg.gkey = k.id AND " STAYS ") LIMIT 1",
    [Q_STALE_JOBS] = "INSERT OR IGNORE INTO job (round, rank, member, state) SELECT DISTINCT ?1, " RANK
                     ", p.member, 0 FROM payload p "
                     "WHERE p.gkey = ?2 AND p.kms = ?3 AND p.t_ms < ?4",
    [Q_EXPIRED] = "SELECT id FROM gkey WHERE (state IN (1, 2) AND expiry <> 0 AND expiry <= ?1) "
                  "OR (state = 2 AND ended_ms <= ?2) LIMIT 1",

    [Q_ROUND_ADD] =
        "INSERT INTO round (gkey, kind, state, activation, expiry, status, groups, t_min_ms, started_ms, rank) "
        "VALUES (?1, ?2, 0, ?3, ?4, ?5, coalesce((SELECT group_concat(g.uri, char(10)) FROM gkey_group kg "
        "JOIN grp g ON g.id = kg.grp WHERE kg.gkey = ?1 AND CASE ?6 WHEN 0 THEN kg.ended = 0 ELSE kg.grp = ?6 END), "
        "''), "
        "?7, ?8, ?9)",
    [Q_ROUND_OPEN] = "SELECT id FROM round WHERE gkey = ?1 AND kind = ?2 AND state = 0 LIMIT 1",
    [Q_ROUNDS_COMPLETE] = "SELECT r.id, r.gkey, r.kind, r.activation, r.expiry, r.tries, k.urgent, k.type, k.key_id, "
                          "substr(r.groups, 1, instr(r.groups || char(10), char(10)) - 1), "
                          "(SELECT count(*) FROM job j WHERE j.round = r.id AND j.state = 1), "
                          "(SELECT count(*) FROM job j WHERE j.round = r.id) FROM round r JOIN gkey k ON k.id = r.gkey "
                          "WHERE r.state = 0 AND NOT EXISTS (SELECT 1 FROM job j WHERE j.round = r.id AND j.state = 0) "
                          /* a new key that no member at all could be given waits until what failed is tried again */
                          "AND (r.kind <> 0 OR NOT EXISTS (SELECT 1 FROM job j WHERE j.round = r.id) "
                          "OR EXISTS (SELECT 1 FROM job j WHERE j.round = r.id AND j.state = 1)) "
                          "ORDER BY r.id LIMIT 1",
    [Q_ROUND_PLAN] = "UPDATE round SET activation = ?2, expiry = ?3, tries = ?4, t_min_ms = max(t_min_ms, ?5) "
                     "WHERE id = ?1",
    [Q_ROUND_GROUPS] = "UPDATE round SET groups = coalesce((SELECT group_concat(g.uri, char(10)) FROM gkey_group kg "
                       "JOIN grp g ON g.id = kg.grp WHERE kg.gkey = ?2 AND kg.ended = 0), '') WHERE id = ?1",
    [Q_ROUND_SHOW] = "UPDATE round SET state = 1, shown_ms = ?2 WHERE id = ?1",
    [Q_ROUND_GIVE_UP] = "DELETE FROM round WHERE gkey = ?1 AND state = 0 AND kind <> 2",
    [Q_ROUND_REPLACED] = "DELETE FROM job WHERE round = ?1 AND state = 1",
    [Q_JOB_ADD] = "INSERT OR IGNORE INTO job (round, rank, member, state) VALUES (?1, " RANK ", ?2, 0)",
    [Q_JOBS_ADD] = "INSERT OR IGNORE INTO job (round, rank, member, state) SELECT DISTINCT ?1, " RANK
                   ", m.uri, 0 FROM gkey_group kg "
                   "JOIN member m ON m.grp = kg.grp WHERE kg.gkey = ?2 AND kg.ended = 0",
    [Q_JOBS_ADD_NEW] =
        "INSERT OR IGNORE INTO job (round, rank, member, state) SELECT ?1, " RANK ", uri, 0 FROM temp.newcomer",
    [Q_JOBS_ADD_PAST] = "INSERT OR IGNORE INTO job (round, rank, member, state) SELECT DISTINCT ?1, " RANK
                        ", m.uri, 0 FROM gkey_group kg JOIN gkey k ON k.id = kg.gkey "
                        "JOIN member m ON m.grp = kg.grp AND m.added_ms < k.ended_ms "
                        "WHERE kg.gkey = ?2 AND kg.ended = 0",
    /* Before version 4 it was not kept when the key ended: everybody. */
    [Q_JOBS_ADD_LEFT] =
        "INSERT OR IGNORE INTO job (round, rank, member, state) SELECT ?1, " RANK ", m.uri, 0 FROM member m "
        "JOIN gkey_group kg ON kg.gkey = ?2 AND kg.grp = m.grp "
        "WHERE m.grp = ?3 AND (kg.ended = 1 OR m.added_ms <= kg.ended) AND m.uri NOT IN (SELECT o.uri "
        "FROM gkey_group ko JOIN member o ON o.grp = ko.grp WHERE ko.gkey = ?2 AND ko.ended = 0)",
    [Q_JOBS_RESET] = "UPDATE job SET state = 0, error = '', tries = 0 WHERE round = ?1",
    [Q_JOBS_DROP] = "DELETE FROM job WHERE round = ?1",
    [Q_JOBS_BEFORE] = "SELECT count(*) FROM job j JOIN round r ON r.id = ?1 WHERE j.state = 0 AND j.rank <= r.rank",
    /* What waits, and what the keys in use will need when they expire. */
    [Q_JOBS_AHEAD] = "SELECT (SELECT count(*) FROM job WHERE state = 0) + (SELECT count(*) FROM gkey_group kg "
                     "JOIN gkey k ON k.id = kg.gkey JOIN member m ON m.grp = kg.grp "
                     "WHERE k.state = 1 AND k.expiry <> 0 AND " STAYS ")",
    [Q_JOB_NEXT] = "SELECT j.id, j.member, r.t_min_ms, r.activation, r.expiry, r.status, r.groups, k.type, k.key_id, "
                   "k.sealed FROM job j JOIN round r ON r.id = j.round JOIN gkey k ON k.id = r.gkey "
                   "WHERE j.state = 0 AND j.rank = ?3 AND j.id > ?1 ORDER BY j.id LIMIT ?2",
    [Q_JOB_ROUND] = "SELECT r.id, r.gkey, r.state, r.t_min_ms, j.member, j.tries FROM job j "
                    "JOIN round r ON r.id = j.round WHERE j.id = ?1 AND j.state = 0",
    [Q_JOB_END] = "UPDATE job SET state = ?2, error = ?3 WHERE id = ?1",
    [Q_JOB_TRIED] = "UPDATE job SET tries = tries + 1 WHERE id = ?1",
    [Q_JOBS_RETRY] = "UPDATE job SET state = 0, tries = 0 WHERE state = 2 AND round IN (SELECT r.id FROM round r "
                     "JOIN gkey k ON k.id = r.gkey WHERE k.state IN (0, 1)) AND NOT EXISTS (SELECT 1 FROM round r "
                     "JOIN payload p ON p.gkey = r.gkey WHERE r.id = job.round AND p.member = job.member "
                     "AND p.round > job.round)",
    [Q_MEMBER_JOBS_DROP] = "DELETE FROM job WHERE member = ?2 AND round IN (SELECT r.id FROM round r "
                           "JOIN gkey_group kg ON kg.gkey = r.gkey WHERE kg.grp = ?1 AND NOT EXISTS ("
                           "SELECT 1 FROM gkey_group o JOIN member m ON m.grp = o.grp WHERE o.gkey = kg.gkey "
                           "AND o.grp <> ?1 AND o.ended = 0 AND m.uri = ?2))",
    [Q_MEMBER_PAYLOADS_DROP] = "DELETE FROM payload WHERE member = ?2 AND gkey IN (SELECT kg.gkey FROM gkey_group kg "
                               "WHERE kg.grp = ?1 AND NOT EXISTS (SELECT 1 FROM gkey_group o "
                               "JOIN member m ON m.grp = o.grp WHERE o.gkey = kg.gkey AND o.grp <> ?1 "
                               "AND o.ended = 0 AND m.uri = ?2))",
    [Q_PAYLOAD_ADD] = "INSERT OR REPLACE INTO payload (round, member, gkey, message, kms, t_ms) "
                      "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [Q_PAYLOADS_DROP] = "DELETE FROM payload WHERE round = ?1",
    [Q_PAYLOADS_OLD] = "DELETE FROM payload WHERE gkey = ?1 AND round < ?2 "
                       "AND member IN (SELECT member FROM payload WHERE round = ?2)",
    [Q_PAYLOADS_OLDER] = "DELETE FROM payload WHERE gkey = ?1 AND round < ?2 AND member = ?3",
    [Q_KEY_ROUNDS_DROP] = "DELETE FROM round WHERE gkey = ?1",
    [Q_KEY_T_MAX] = "SELECT coalesce(max(t_ms), 0) FROM payload WHERE gkey = ?1",

    [Q_GKTP] = "WITH src (grp, temporary) AS (SELECT ?1, '' UNION ALL SELECT c.temporary, g.uri FROM constituent c "
               "JOIN grp g ON g.id = c.temporary WHERE c.grp = ?1) "
               "SELECT k.type, src.temporary, r.activation, p.message FROM src "
               "JOIN gkey_group kg ON kg.grp = src.grp JOIN gkey k ON k.id = kg.gkey "
               "JOIN payload p ON p.gkey = k.id AND p.member = ?2 JOIN round r ON r.id = p.round "
               "WHERE (k.expiry = 0 OR k.expiry > ?3) AND " VISIBLE " ORDER BY k.type, src.temporary, k.id",
    [Q_GKTP_FETCHED] = "UPDATE payload SET fetched_ms = ?3 WHERE member = ?2 AND fetched_ms = 0 AND gkey IN ("
                       "SELECT gkey FROM gkey_group WHERE grp = ?1 OR grp IN "
                       "(SELECT temporary FROM constituent WHERE grp = ?1)) "
                       "AND round IN (SELECT r.id FROM round r WHERE r.gkey = payload.gkey AND r.state = 1)",
    [Q_DELIVERED] = "INSERT INTO delivery (member, grp, document, etag, time_ms) VALUES (?1, ?2, ?3, ?4, ?5) "
                    "ON CONFLICT (member, grp, document) DO UPDATE SET etag = ?4, time_ms = ?5",
    [Q_DELIVERY_DROP] = "DELETE FROM delivery WHERE grp = ?1 AND member = ?2",

    [Q_VIEW_KEYS] = "SELECT k.type, k.key_id, k.state, k.cause, k.activation, k.expiry, k.created_ms, "
                    "(SELECT count(DISTINCT p.member) FROM payload p JOIN round r ON r.id = p.round AND r.state = 1 "
                    "JOIN member m ON m.grp = kg.grp AND m.uri = p.member "
                    "WHERE p.gkey = k.id AND p.fetched_ms <> 0), "
                    "(SELECT count(*) FROM member m WHERE m.grp = kg.grp) FROM gkey_group kg "
                    "JOIN gkey k ON k.id = kg.gkey WHERE kg.grp = ?1 AND kg.ended = 0 ORDER BY k.id",
    [Q_VIEW_LACKING] =
        "SELECT m.uri, k.type, k.key_id, CASE WHEN EXISTS (SELECT 1 FROM payload p JOIN round r ON r.id = p.round "
        "AND r.state = 1 WHERE p.gkey = k.id AND p.member = m.uri) THEN 'not fetched' ELSE coalesce("
        "(SELECT j.error FROM job j JOIN round r ON r.id = j.round WHERE r.gkey = k.id AND j.member = m.uri "
        "AND j.state = 2 ORDER BY r.id DESC LIMIT 1), 'not made yet') END "
        "FROM gkey_group kg JOIN gkey k ON k.id = kg.gkey JOIN member m ON m.grp = kg.grp "
        "WHERE kg.grp = ?1 AND (k.state = 1 OR (k.state = 0 AND EXISTS (SELECT 1 FROM round r JOIN job j ON j.round = "
        "r.id "
        "WHERE r.gkey = k.id AND j.member = m.uri AND j.state = 2))) AND " STAYS
        " AND NOT EXISTS (SELECT 1 FROM payload p JOIN round r "
        "ON r.id = p.round AND r.state = 1 WHERE p.gkey = k.id AND p.member = m.uri AND p.fetched_ms <> 0) "
        "ORDER BY k.id, m.uri",
    [Q_VIEW_PROGRESS] =
        "SELECT k.type, k.key_id, r.kind, substr(r.groups, 1, instr(r.groups || char(10), char(10)) - 1), "
        "r.activation, (SELECT count(*) FROM job j WHERE j.round = r.id), "
        "(SELECT count(*) FROM job j WHERE j.round = r.id AND j.state = 1), "
        "(SELECT count(*) FROM job j WHERE j.round = r.id AND j.state = 2), "
        "(SELECT count(*) FROM job j WHERE j.state = 0 AND (j.rank < r.rank OR (j.rank = r.rank AND j.round <= r.id))) "
        "FROM round r JOIN gkey k ON k.id = r.gkey WHERE r.state = 0 ORDER BY r.rank, r.id",
};
