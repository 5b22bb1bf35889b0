/* Scores rows of a compiled model. plain.py does the same in numpy, bit for bit: every sum is
 * taken in the order of features and trees, and the compiler may not contract products into it.
 * store/native_code.py compiles it.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#define LANES 8
#define BLOCK_BYTES 65536

enum { FILL, SUB, DIV, MUL, ADD, CLIP, ISNAN, TABLE, ALLOW, MATCH, BIN, FLOAT32, FINITE };
enum { NUMBER, CATEGORY, NAN_IS_ZERO, ZERO_IS_MISSING };
enum { IDENTITY, LOGISTIC, SOFTMAX, EXP, ONE_VS_REST, LOGISTIC32, SOFTMAX32, ROUND32, EXP32 };
enum { NO_MEMORY = -1 };

typedef struct {
    double threshold;
    int32_t feature;
    int32_t left; /* the right child follows the left one; a leaf names itself */
    int32_t at;   /* first word of the categories that go left */
    int16_t size; /* categories that have a bit; others go the default way */
    uint8_t kind;
    uint8_t default_left;
} Node;

typedef struct {
    int64_t n_inputs, n_features, n_outputs, n_trees, width;
    const int32_t *input, *first, *at, *size;
    const uint8_t *op;
    const double *a, *b, *table;
    const Node *nodes;
    const int32_t *roots, *target;
    const double *value, *init, *coef;
    const uint32_t *bits;
    double divide;
    int32_t single, link;
} Program;

static int64_t place(double x, int64_t size) /* of a code in a table: missing, unseen, known */
{
    if (x != x) return 0;
    if (!(x >= 0.0 && x < (double)(size - 2))) return 1;
    return (int64_t)x + 2;
}

static double match(double x, const double *known, int64_t size)
{
    int64_t low = 0, high = size;
    if (x != x) return x;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (known[middle] < x) low = middle + 1; else high = middle;
    }
    return low < size && known[low] == x ? (double)low : -1.0;
}

static double bin(double x, const double *edges, int64_t size)
{
    int64_t low = 0, high = size;
    if (x != x) return x;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (edges[middle] <= x) low = middle + 1; else high = middle;
    }
    return (double)low;
}

static int column(const Program *p, int64_t j, double x, double *out)
{
    for (int32_t k = p->first[j]; k < p->first[j + 1]; k++) {
        const double a = p->a[k];
        switch (p->op[k]) {
        case FILL: if (x != x) x = a; break;
        case SUB: x = x - a; break;
        case DIV: x = x / a; break;
        case MUL: x = x * a; break;
        case ADD: x = x + a; break;
        case CLIP: if (x < a) x = a; else if (x > p->b[k]) x = p->b[k]; break;
        case ISNAN: x = x != x ? 1.0 : 0.0; break;
        case TABLE: x = p->table[p->at[k] + place(x, p->size[k])]; break;
        case ALLOW: if (p->table[p->at[k] + place(x, p->size[k])] == 0.0) return 1; break;
        case MATCH: x = match(x, p->table + p->at[k], p->size[k]); break;
        case BIN: x = bin(x, p->table + p->at[k], p->size[k]); break;
        case FLOAT32: x = (double)(float)x; break;
        case FINITE: if (x - x != 0.0 && !(a != 0.0 && x != x)) return 1; break;
        }
    }
    *out = x;
    return 0;
}

static int64_t features(const Program *p, const double *matrix, int64_t n, double *out)
{
    const int64_t m = p->n_features;
    for (int64_t r = 0; r < n; r++)
        for (int64_t j = 0; j < m; j++)
            if (column(p, j, matrix[r * p->n_inputs + p->input[j]], out + r * m + j)) return j + 1;
    return 0;
}

static int32_t special(const Node *node, const uint32_t *bits, double x)
{
    if (node->kind == CATEGORY) {
        if (!(x > -1.0 && x < (double)node->size)) return node->left + !node->default_left;
        const int32_t c = (int32_t)x;
        return node->left + !((bits[node->at + (c >> 5)] >> (c & 31)) & 1u);
    }
    if (x != x) x = 0.0;
    if (node->kind == ZERO_IS_MISSING && x >= -1e-35f && x <= 1e-35f)
        return node->left + !node->default_left;
    return node->left + !(x <= node->threshold);
}

static inline int32_t step(const Program *p, int32_t i, const double *row)
{
    const Node *node = p->nodes + i;
    const double x = row[node->feature];
    if (__builtin_expect(node->kind != NUMBER, 0)) return special(node, p->bits, x);
    return node->left + ((x > node->threshold) | ((x != x) & !node->default_left));
}

/* Eight walks at a time: while one waits for memory another goes on. */
static void walk(const Program *p, int32_t at[LANES], const double *const rows[LANES])
{
    int32_t moved;
    do {
        moved = 0;
        for (int k = 0; k < LANES; k++) {
            const int32_t next = step(p, at[k], rows[k]);
            moved |= next ^ at[k];
            at[k] = next;
        }
    } while (moved);
}

static void add(const Program *p, int64_t tree, int32_t leaf, double *sums)
{
    double *out = sums + p->target[tree];
    const double *value = p->value + leaf * p->width;
    for (int64_t k = 0; k < p->width; k++)
        out[k] = p->single ? (double)((float)out[k] + (float)value[k]) : out[k] + value[k];
}

static void one_row(const Program *p, const double *row, double *sums)
{
    const double *rows[LANES];
    int32_t at[LANES];
    for (int k = 0; k < LANES; k++) rows[k] = row;
    for (int64_t t = 0; t < p->n_trees; t += LANES) {
        const int64_t count = p->n_trees - t < LANES ? p->n_trees - t : LANES;
        for (int k = 0; k < LANES; k++) at[k] = p->roots[t + (k < count ? k : 0)];
        walk(p, at, rows);
        for (int64_t k = 0; k < count; k++) add(p, t + k, at[k], sums);
    }
}

static void trees(const Program *p, const double *x, int64_t n, double *out)
{
    const int64_t even = n - n % LANES, m = p->n_features, w = p->n_outputs;
    const double *rows[LANES];
    int32_t at[LANES];
    for (int64_t r = 0; r < n; r++)
        for (int64_t k = 0; k < w; k++)
            out[r * w + k] = p->single ? (double)(float)p->init[k] : p->init[k];
    for (int64_t t = 0; t < p->n_trees; t++)
        for (int64_t r = 0; r < even; r += LANES) {
            for (int k = 0; k < LANES; k++) {
                at[k] = p->roots[t];
                rows[k] = x + (r + k) * m;
            }
            walk(p, at, rows);
            for (int k = 0; k < LANES; k++) add(p, t, at[k], out + (r + k) * w);
        }
    for (int64_t r = even; r < n; r++) one_row(p, x + r * m, out + r * w);
    if (p->divide != 1.0)
        for (int64_t k = 0; k < n * w; k++) out[k] = out[k] / p->divide;
}

static void linear(const Program *p, const double *x, int64_t n, double *out)
{
    const int64_t m = p->n_features, w = p->n_outputs;
    for (int64_t r = 0; r < n; r++)
        for (int64_t k = 0; k < w; k++) {
            double sum = 0.0;
            for (int64_t j = 0; j < m; j++) sum = sum + x[r * m + j] * p->coef[k * m + j];
            out[r * w + k] = sum + p->init[k];
        }
}

static double logistic(double x)
{
    if (x >= 0.0) return 1.0 / (1.0 + exp(-x));
    const double e = exp(x);
    return e / (1.0 + e);
}

static void softmax(double *v, int64_t w)
{
    double top = v[0], sum = 0.0;
    for (int64_t k = 1; k < w; k++) if (v[k] > top) top = v[k];
    for (int64_t k = 0; k < w; k++) { v[k] = exp(v[k] - top); sum = sum + v[k]; }
    for (int64_t k = 0; k < w; k++) v[k] = v[k] / sum;
}

static void softmax32(double *v, int64_t w)
{
    double sum = 0.0;
    float top = (float)v[0];
    for (int64_t k = 1; k < w; k++) if ((float)v[k] > top) top = (float)v[k];
    for (int64_t k = 0; k < w; k++) { v[k] = (double)expf((float)v[k] - top); sum = sum + v[k]; }
    for (int64_t k = 0; k < w; k++) v[k] = (double)((float)v[k] / (float)sum);
}

static void one_vs_rest(double *v, int64_t w)
{
    double sum = 0.0;
    for (int64_t k = 0; k < w; k++) { v[k] = logistic(v[k]); sum = sum + v[k]; }
    for (int64_t k = 0; k < w; k++) v[k] = sum == 0.0 ? 1.0 / (double)w : v[k] / sum;
}

static void link_row(const Program *p, double *v)
{
    const int64_t w = p->n_outputs;
    if (p->link == SOFTMAX) { softmax(v, w); return; }
    if (p->link == SOFTMAX32) { softmax32(v, w); return; }
    if (p->link == ONE_VS_REST) { one_vs_rest(v, w); return; }
    for (int64_t k = 0; k < w; k++)
        switch (p->link) {
        case LOGISTIC: v[k] = logistic(v[k]); break;
        case EXP: v[k] = exp(v[k]); break;
        case ROUND32: v[k] = (double)(float)v[k]; break;
        case EXP32: v[k] = (double)expf((float)v[k]); break;
        case LOGISTIC32: v[k] = (double)(1.0f / (expf(-(float)v[k]) + 1.0f)); break;
        }
}

static int64_t block(const Program *p, const double *matrix, int64_t n, double *x, double *out)
{
    const int64_t refused = features(p, matrix, n, x);
    if (refused) return refused;
    if (p->coef) linear(p, x, n, out); else trees(p, x, n, out);
    if (p->link != IDENTITY)
        for (int64_t r = 0; r < n; r++) link_row(p, out + r * p->n_outputs);
    return 0;
}

/* 0, or the model feature (from 1) that refuses its value, or NO_MEMORY. */
int64_t gleis_score(const Program *p, const double *matrix, int64_t n, double *out)
{
    double small[256];
    const int64_t width = p->n_features > 0 ? p->n_features : 1;
    int64_t rows = BLOCK_BYTES / (8 * width), status = 0;
    rows = rows < LANES ? LANES : rows - rows % LANES;
    if (rows > n) rows = n > 0 ? n : 1;
    double *x = rows * width <= 256 ? small : malloc((size_t)(rows * width) * sizeof *x);
    if (!x) return NO_MEMORY;
    for (int64_t r = 0; r < n && !status; r += rows) {
        const int64_t count = n - r < rows ? n - r : rows;
        status = block(p, matrix + r * p->n_inputs, count, x, out + r * p->n_outputs);
    }
    if (x != small) free(x);
    return status;
}

/* Changes with the layout of Program and Node. */
int64_t gleis_kernel_layout(void)
{
    return 1;
}

/* What the trees or the dot product see: (n, n_features). */
int64_t gleis_features(const Program *p, const double *matrix, int64_t n, double *out)
{
    return features(p, matrix, n, out);
}
