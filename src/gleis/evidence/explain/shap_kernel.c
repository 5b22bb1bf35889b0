/* Shapley values of sums of trees, a row and a tree at a time. shap_trees.py says what is computed
 * and has the same in numpy; shap_native.py lays the nodes out. store/native_code.py compiles it.
 *
 * One walk down and up each tree. Every edge from a parent to a child is a player: the feature that
 * the parent asks. At the points t of a quadrature its factor is o t + z (1 - t), where o is 1 if
 * the row takes this edge (and all earlier ones of the same feature) and z is the share of training
 * weight that does. On the way down the factors are multiplied, a leaf gives its value times the
 * product, and on the way up an edge's own factor is divided out of the sum below it. Where a
 * feature is asked again below, the later edge takes the place of the earlier one.
 */
#include <stdint.h>
#include <stdlib.h>

enum { NUMBER, CATEGORY, NAN_IS_ZERO, ZERO_IS_MISSING };
enum { NO_MEMORY = -1 };

typedef struct {
    double threshold;
    double unknown;   /* share of training weight that takes the edge to this node; see shap_native */
    int32_t feature;
    int32_t left, right; /* a leaf names itself */
    int32_t at;          /* first word of the categories that go left */
    int32_t earlier;     /* how many edges above the edge of the same feature is; 0: none */
    int16_t size;
    uint8_t kind;
    uint8_t default_left;
} Node;

typedef struct {
    int64_t n_features, n_outputs, n_trees, width, depth;
    const Node *nodes;
    const uint32_t *bits;
    const double *value;
    const int32_t *roots, *target, *points; /* points: how many a tree needs */
    const double *const *t, *const *weight; /* by the number of points */
} Forest;

typedef struct {
    double *product, *inverse, *sum; /* (depth, q), (depth, q), (depth, width, q) */
    int32_t *node;
    uint8_t *known, *stage;
} Stack;

static int goes_left(const Node *node, const uint32_t *bits, double x)
{
    if (node->kind == CATEGORY) {
        if (!(x > -1.0 && x < (double)node->size)) return node->default_left;
        const int32_t c = (int32_t)x;
        return (bits[node->at + (c >> 5)] >> (c & 31)) & 1u;
    }
    if (node->kind != NUMBER) {
        if (x != x) x = 0.0;
        if (node->kind == ZERO_IS_MISSING && x >= -1e-35f && x <= 1e-35f)
            return node->default_left;
    } else if (x != x) {
        return node->default_left;
    }
    return x <= node->threshold;
}

/* Goes over one edge. Returns 0 if nothing below it can be reached, known or unknown. */
static inline int descend(const Node *node, const Stack *s, int64_t d, int64_t q, int turned,
                          const double *t)
{
    const int64_t e = node->earlier;
    const int known = turned && (!e || s->known[d - e]);
    const double *above = s->product + (d - 1) * q;
    double *product = s->product + d * q, *inverse = s->inverse + d * q;
    if (!known && node->unknown == 0.0) return 0;
    s->known[d] = (uint8_t)known;
    for (int64_t k = 0; k < q; k++) {
        const double factor = (known ? t[k] : 0.0) + node->unknown * (1.0 - t[k]);
        inverse[k] = 1.0 / factor;
        product[k] = above[k] * factor;
    }
    if (e)
        for (int64_t k = 0; k < q; k++) product[k] = product[k] * s->inverse[(d - e) * q + k];
    return 1;
}

static inline double without(const double *sum, const double *inverse, const double *weight,
                             int64_t q)
{
    double total = 0.0;
    for (int64_t k = 0; k < q; k++) total = total + weight[k] * sum[k] * inverse[k];
    return total;
}

/* Comes back over one edge: what its feature adds, by all leaves below. */
static inline void ascend(const Forest *f, const Node *node, const Stack *s, int64_t d, int64_t q,
                          const double *weight, double *out)
{
    const int64_t w = f->width, e = node->earlier;
    const Node *above = f->nodes + s->node[d - 1];
    double *gain = out + above->feature * f->n_outputs;
    for (int64_t k = 0; k < w; k++) {
        const double *sum = s->sum + (d * w + k) * q;
        double *total = s->sum + ((d - 1) * w + k) * q;
        double share = (s->known[d] - node->unknown) * without(sum, s->inverse + d * q, weight, q);
        if (e) {
            const Node *first = f->nodes + s->node[d - e];
            share = share - (s->known[d - e] - first->unknown)
                * without(sum, s->inverse + (d - e) * q, weight, q);
        }
        gain[k] = gain[k] + share;
        for (int64_t i = 0; i < q; i++) total[i] = total[i] + sum[i];
    }
}

static inline void enter(const Forest *f, const Stack *s, int64_t d, int64_t q, int32_t at)
{
    const int64_t w = f->width;
    const Node *node = f->nodes + at;
    const double *product = s->product + d * q, *value = f->value + at * w;
    const int leaf = node->left == at;
    s->node[d] = at;
    s->stage[d] = leaf ? 2 : 0;
    for (int64_t k = 0; k < w; k++)
        for (int64_t i = 0; i < q; i++)
            s->sum[(d * w + k) * q + i] = leaf ? value[k] * product[i] : 0.0;
}

static inline void tree(const Forest *f, const Stack *s, int32_t root, const double *x, int64_t q,
                        const double *t, const double *weight, double *out)
{
    int64_t d = 0;
    for (int64_t k = 0; k < q; k++) s->product[k] = 1.0;
    enter(f, s, 0, q, root);
    for (;;) {
        const Node *node = f->nodes + s->node[d];
        if (s->stage[d] == 2) {
            if (d == 0) return;
            ascend(f, node, s, d, q, weight, out);
            d--;
            continue;
        }
        const int second = s->stage[d]++;
        const int left = goes_left(node, f->bits, x[node->feature]);
        const int32_t child = second ? node->right : node->left;
        if (descend(f->nodes + child, s, d + 1, q, second ? !left : left, t))
            enter(f, s, ++d, q, child);
    }
}

/* A number of points that the compiler knows: loops over them are unrolled. */
static void one(const Forest *f, const Stack *s, int64_t k, const double *x, double *out)
{
    const int64_t q = f->points[k];
    const int32_t root = f->roots[k];
    const double *t = f->t[q], *w = f->weight[q];
    out += f->target[k];
    switch (q) {
    case 1: tree(f, s, root, x, 1, t, w, out); return;
    case 2: tree(f, s, root, x, 2, t, w, out); return;
    case 3: tree(f, s, root, x, 3, t, w, out); return;
    case 4: tree(f, s, root, x, 4, t, w, out); return;
    case 5: tree(f, s, root, x, 5, t, w, out); return;
    case 6: tree(f, s, root, x, 6, t, w, out); return;
    default: tree(f, s, root, x, q, t, w, out);
    }
}

/* Adds to out, (n, n_features, n_outputs), what each feature adds to the sums; 0 or NO_MEMORY. */
int64_t gleis_shap(const Forest *f, const double *x, int64_t n, double *out)
{
    const int64_t levels = f->depth + 1, m = f->n_features, size = m * f->n_outputs;
    int64_t q = 1;
    for (int64_t k = 0; k < f->n_trees; k++) if (f->points[k] > q) q = f->points[k];
    double *numbers = malloc((size_t)(levels * q * (2 + f->width)) * sizeof *numbers);
    int32_t *nodes = malloc((size_t)levels * sizeof *nodes);
    uint8_t *flags = malloc((size_t)levels * 2);
    if (numbers && nodes && flags) {
        const Stack s = {numbers, numbers + levels * q, numbers + 2 * levels * q,
                         nodes, flags, flags + levels};
        for (int64_t r = 0; r < n; r++)
            for (int64_t k = 0; k < f->n_trees; k++)
                one(f, &s, k, x + r * m, out + r * size);
        n = 0;
    } else {
        n = NO_MEMORY;
    }
    free(numbers);
    free(nodes);
    free(flags);
    return n;
}

/* Changes with the layout of Forest and Node. */
int64_t gleis_kernel_layout(void)
{
    return 1;
}
