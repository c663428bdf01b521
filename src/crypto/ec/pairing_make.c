/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building the table of pairing.h. Two passes over CHUNK digits at a time, each with one inversion for all its
 * denominators: first the multiples of K, affine and with the slopes of their lines; then the functions G.
 */
#include "crypto/bn/batch.h"
#include "crypto/ec/pairing.h"

#define CHUNK 16 /* digits; the maker then takes 90 KiB of stack */

/* A multiple of K, how it was reached, and what is to be inverted for it. */
struct step_point {
    struct mcx_jac jac;
    struct mcx_fp numerator; /* slope = numerator / (Z' d), d = Z^2 of the point doubled, or 1 */
    struct mcx_fp inverse;   /* 1/Z */
    struct mcx_ec affine;
    struct mcx_fp slope;
};

/* T -> 2T -> 4T -> 4T + dK for one digit; `next` is `four` again for d = 0. */
struct step {
    struct step_point two, four, next;
};

/* y B(x) + A(x) */
struct function {
    struct mcx_fp a[5], b[4];
    int a_deg, b_deg;
};

/* y - l (x - x0) - y0 */
struct slope_line {
    const struct mcx_fp *l;
    const struct mcx_ec *point;
};

struct maker {
    signed char digit[MCX_PAIR_DIGITS]; /* [0] is taken as 0: the line through 4T and dK is vertical */
    int last;                           /* what it is */
    struct mcx_ec k[4];                 /* dK at [d + 1]; [1] is not used */
    struct mcx_fp tangent;              /* slope at K */
    struct step_point t;                /* where the chunk begins */
    struct step step[CHUNK];
    struct function g[CHUNK];
    struct mcx_fp inverse[MCX_FP_BATCH_MAX];
};

_Static_assert(3 * CHUNK + 1 <= MCX_FP_BATCH_MAX, "a chunk is one batch");

static void double_point(struct step_point *to, const struct step_point *from)
{
    struct mcx_line line;

    to->jac = from->jac;
    mcx_jac_dbl(&to->jac, &line);
    to->numerator = line.sx;
    mcx_wipe(&line, sizeof line);
}

static void add_point(struct step_point *to, const struct step_point *from, const struct mcx_ec *k)
{
    struct mcx_line line;

    to->jac = from->jac;
    mcx_jac_add(&to->jac, &line, k);
    to->numerator = line.sx;
    mcx_wipe(&line, sizeof line);
}

static void make_affine(struct step_point *t)
{
    struct mcx_fp square;

    mcx_fp_sqr(&square, &t->inverse);
    mcx_fp_mul(&t->affine.x, &t->jac.x, &square);
    mcx_fp_mul(&square, &square, &t->inverse);
    mcx_fp_mul(&t->affine.y, &t->jac.y, &square);
    mcx_wipe(&square, sizeof square);
}

/* mcx_jac_dbl() gives sx = m d with slope m/Z' and d = Z^2 of the point doubled. */
static void finish_double(struct step_point *t, const struct step_point *from)
{
    make_affine(t);
    mcx_fp_mul(&t->slope, &t->numerator, &t->inverse);
    mcx_fp_mul(&t->slope, &t->slope, &from->inverse);
    mcx_fp_mul(&t->slope, &t->slope, &from->inverse);
}

static void finish_add(struct step_point *t)
{
    make_affine(t);
    mcx_fp_mul(&t->slope, &t->numerator, &t->inverse);
}

/* The multiples for digits high .. high - num + 1, from m->t on. */
static void make_points(struct maker *m, int high, int num)
{
    struct step_point *from = &m->t;
    int n = 0;

    m->inverse[n++] = m->t.jac.z;
    for (int j = 0; j < num; j++) {
        struct step *s = &m->step[j];
        int d = m->digit[high - j];

        double_point(&s->two, from);
        double_point(&s->four, &s->two);
        m->inverse[n++] = s->two.jac.z;
        m->inverse[n++] = s->four.jac.z;
        if (d != 0) {
            add_point(&s->next, &s->four, &m->k[d + 1]);
            m->inverse[n++] = s->next.jac.z;
        }
        from = d != 0 ? &s->next : &s->four;
    }
    mcx_fp_inv_batch(m->inverse, n);

    n = 0;
    m->t.inverse = m->inverse[n++];
    make_affine(&m->t);
    from = &m->t;
    for (int j = 0; j < num; j++) {
        struct step *s = &m->step[j];
        int d = m->digit[high - j];

        s->two.inverse = m->inverse[n++];
        s->four.inverse = m->inverse[n++];
        finish_double(&s->two, from);
        finish_double(&s->four, &s->two);
        if (d != 0) {
            s->next.inverse = m->inverse[n++];
            finish_add(&s->next);
        }
        from = d != 0 ? &s->next : &s->four;
    }
}

/*
 * G for d = 0: (tangent at T)^2 (tangent at 2T) / (vertical at 2T)^2, worked out. l1, l2 are the slopes at T and
 * 2T = (x2, y2), s = l1 + l2, f = 2 x2 + l1 l2:
 *   B = x + f + l1 l2 + l1^2
 *   A = -(l1 + s) x^2 + (y2 - l1 (x2 + l1 l2) - s x2) x + y2 (f - l1 s) + l1 x2 f - s (x2^2 - 3)
 */
static void quadruple(struct function *g, const struct mcx_ec *two, const struct mcx_fp *l1, const struct mcx_fp *l2)
{
    struct mcx_fp s, f, l1l2, t, u;

    mcx_fp_add(&s, l1, l2);
    mcx_fp_mul(&l1l2, l1, l2);
    mcx_fp_dbl(&f, &two->x);
    mcx_fp_add(&f, &f, &l1l2);

    mcx_fp_set_one(&g->b[1]);
    mcx_fp_sqr(&t, l1);
    mcx_fp_add(&t, &t, &l1l2);
    mcx_fp_add(&g->b[0], &t, &f);
    g->b_deg = 1;

    mcx_fp_add(&t, l1, &s);
    mcx_fp_neg(&g->a[2], &t);

    mcx_fp_add(&t, &two->x, &l1l2);
    mcx_fp_mul(&t, &t, l1);
    mcx_fp_sub(&g->a[1], &two->y, &t);
    mcx_fp_mul(&t, &s, &two->x);
    mcx_fp_sub(&g->a[1], &g->a[1], &t);

    mcx_fp_mul(&t, l1, &s);
    mcx_fp_sub(&t, &f, &t);
    mcx_fp_mul(&g->a[0], &t, &two->y);
    mcx_fp_mul(&t, l1, &two->x);
    mcx_fp_mul(&t, &t, &f);
    mcx_fp_add(&g->a[0], &g->a[0], &t);
    mcx_fp_set_one(&u);
    mcx_fp_sqr(&t, &two->x);
    mcx_fp_sub(&t, &t, &u);
    mcx_fp_dbl(&u, &u);
    mcx_fp_sub(&t, &t, &u);
    mcx_fp_mul(&t, &t, &s);
    mcx_fp_sub(&g->a[0], &g->a[0], &t);
    g->a_deg = 2;
}

/* r := r - c l, r of degree max(deg, c_deg + 1); l = l0 + l1 x */
static void sub_times_line(struct mcx_fp *r, const struct mcx_fp *c, int c_deg, const struct mcx_fp l[2])
{
    struct mcx_fp t;

    for (int i = 0; i <= c_deg; i++) {
        mcx_fp_mul(&t, &c[i], &l[0]);
        mcx_fp_sub(&r[i], &r[i], &t);
        mcx_fp_mul(&t, &c[i], &l[1]);
        mcx_fp_sub(&r[i + 1], &r[i + 1], &t);
    }
}

/* f := f / (x - root), exact; from degree deg to deg - 1 (Horner) */
static void divide(struct mcx_fp *f, int deg, const struct mcx_fp *root)
{
    struct mcx_fp carry = f[deg];
    struct mcx_fp t;

    for (int i = deg - 1; i >= 0; i--) {
        t = f[i];
        f[i] = carry;
        mcx_fp_mul(&carry, &carry, root);
        mcx_fp_add(&carry, &carry, &t);
    }
}

/*
 * G := G (y - L) / (x - root), L = y0 + l (x - x0), where G and the line vanish at points over x = root with
 * opposite y. (y B + A)(y - L) = y (A - B L) + ((x^3 - 3x) B - A L)
 */
static void times_line(struct function *g, const struct slope_line *line, const struct mcx_fp *root)
{
    struct mcx_fp l[2];
    struct mcx_fp a[6] = { 0 };
    struct mcx_fp b[5] = { 0 };
    int b_deg = g->b_deg + 1 > g->a_deg ? g->b_deg + 1 : g->a_deg;
    int a_deg = g->b_deg + 3;

    mcx_fp_mul(&l[0], line->l, &line->point->x);
    mcx_fp_sub(&l[0], &line->point->y, &l[0]);
    l[1] = *line->l;

    for (int i = 0; i <= g->a_deg; i++) {
        b[i] = g->a[i];
    }
    sub_times_line(b, g->b, g->b_deg, l);
    for (int i = 0; i <= g->b_deg; i++) {
        a[i + 3] = g->b[i];
    }
    for (int i = 0; i <= g->b_deg; i++) {
        for (int j = 0; j < 3; j++) {
            mcx_fp_sub(&a[i + 1], &a[i + 1], &g->b[i]);
        }
    }
    sub_times_line(a, g->a, g->a_deg, l);

    divide(b, b_deg, root);
    divide(a, a_deg, root);
    g->b_deg = b_deg - 1;
    g->a_deg = a_deg - 1;
    memcpy(g->b, b, sizeof g->b);
    memcpy(g->a, a, sizeof g->a);
    mcx_wipe(a, sizeof a);
    mcx_wipe(b, sizeof b);
    mcx_wipe(l, sizeof l);
}

/* The functions of a chunk, written to coef with B monic; the coefficients written. */
static int make_functions(struct maker *m, struct mcx_fp *coef, int high, int num)
{
    int n = 0;

    for (int j = 0; j < num; j++) {
        const struct step *s = &m->step[j];
        int d = m->digit[high - j];

        quadruple(&m->g[j], &s->two.affine, &s->two.slope, &s->four.slope);
        if (d != 0) {
            times_line(&m->g[j], &(struct slope_line){ &s->next.slope, &m->k[d + 1] }, &s->four.affine.x);
        }
        if (d == 2) { /* 2(K) instead of (2K) */
            times_line(&m->g[j], &(struct slope_line){ &m->tangent, &m->k[2] }, &m->k[3].x);
        }
        m->inverse[j] = m->g[j].b[m->g[j].b_deg];
    }
    mcx_fp_inv_batch(m->inverse, num);
    for (int j = 0; j < num; j++) {
        for (int i = 0; i < m->g[j].b_deg; i++) {
            mcx_fp_mul(&coef[n++], &m->g[j].b[i], &m->inverse[j]);
        }
        for (int i = 0; i <= m->g[j].a_deg; i++) {
            mcx_fp_mul(&coef[n++], &m->g[j].a[i], &m->inverse[j]);
        }
    }
    return n;
}

/* K, 2K, -K, the tangent at K, T = 2K */
static void begin(struct maker *m, struct mcx_fp *coef, const struct mcx_ec *k)
{
    struct step_point first = { .jac = { k->x, k->y, { { 0 } } } };

    mcx_pair_digits(m->digit);
    m->last = m->digit[0];
    m->digit[0] = 0;
    mcx_fp_set_one(&first.jac.z);
    first.inverse = first.jac.z;
    double_point(&m->t, &first);
    mcx_fp_inv(&m->t.inverse, &m->t.jac.z);
    finish_double(&m->t, &first);
    m->tangent = m->t.slope;
    m->k[0].x = k->x;
    mcx_fp_neg(&m->k[0].y, &k->y);
    m->k[2] = *k;
    m->k[3] = m->t.affine;

    mcx_fp_mul(&coef[0], &m->tangent, &k->x); /* y - ky - l (x - kx) */
    mcx_fp_sub(&coef[0], &coef[0], &k->y);
    mcx_fp_neg(&coef[1], &m->tangent);
    mcx_wipe(&first, sizeof first);
}

/*
 * q K = 4T + dK = O at the last digit. If T became O on the way, Z = 0 stayed so. (Points of order 2 and 4 do that;
 * for the others no addition was exceptional, as explained at mcx_ec_in_subgroup().)
 */
static mcx_limb order_is_q(const struct maker *m, const struct step *last)
{
    const struct mcx_ec *minus = &m->k[1 - m->last];

    return ~mcx_fp_is_zero(&last->four.inverse) & mcx_fp_equal(&last->four.affine.x, &minus->x) &
           mcx_fp_equal(&last->four.affine.y, &minus->y);
}

mcx_limb mcx_pair_table_make(struct mcx_pair_table *r, const struct mcx_ec *k)
{
    struct mcx_fp *coef = r->coef + 2;
    struct maker m;
    mcx_limb ok;
    int num = 0;

    begin(&m, r->coef, k);
    for (int high = MCX_PAIR_DIGITS - 2; high >= 0; high -= num) {
        num = high + 1 < CHUNK ? high + 1 : CHUNK;
        make_points(&m, high, num);
        coef += make_functions(&m, coef, high, num);
        m.t = m.digit[high - num + 1] != 0 ? m.step[num - 1].next : m.step[num - 1].four;
    }
    ok = order_is_q(&m, &m.step[num - 1]);
    mcx_wipe(&m, sizeof m);
    return ok;
}
