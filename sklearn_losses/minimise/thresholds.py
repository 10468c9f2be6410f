"""Every number by which a fit chooses its way, with where it comes from.

Work is counted in multiplications, of which a core does about 1e10 in a second. "Timed" means on two cores with
OpenBLAS, over problems on both sides of the number; none is sharp, a factor of two either way costs a few per cent.
"""

# Coordinates
WRITTEN_ENTRIES = 1_000_000  # dense data up to this size stay in a core's cache: centred and scaled in a copy, once
REDUCED_ROWS = 2_500  # whose Gram matrix, 50 MB, is factorised in the time of a few passes over wide data
REDUCED_SPARSE_WORK = 1_800  # n^3 over this many non-zeros takes as long as solving without: sparse products are slow

# Hessians
HESSIANS = 8.0  # of a fit by Newton's method from zero weights: five to twelve on the data sets of the benchmarks
SMALL_HESSIAN = 3e7  # timed: below, one joint Hessian for K classes is cheaper than thinking twice
LARGE_HESSIAN = 2e6  # timed: beyond, one in single precision and more steps are faster than one in every step
FEW_PARAMETERS = 300  # beyond, a Hessian takes as long as dozens of products with it
DENSE_PARAMETERS = 3_000  # the factors of one this wide take 72 MB and a second
DENSE_ENTRIES = 4e6  # sparse rows of more entries, 32 MB, are not written out
FEW_SPARSE_ENTRIES = 5e4  # nor this many where products do as well: they are cheap with sparse rows
FACTORISED_PARAMETERS = 2_000  # a joint Hessian of K classes is factorised in a third of a second up to here
EIGENVALUES = 10.0  # multiplications for K^3 that the eigenvalues of a row's Hessian take
NEWTON_TOLERANCE = 1e-10  # a step or two more end near machine precision, where weights equal repetition
QUICK_STEPS, LINEAR_TOLERANCE = 12, 1e-14  # of L-BFGS before Newton, which has no quadratic convergence to count on

# Products with Hessians, and preconditioners
SAMPLED_PRECONDITIONER = 160.0  # timed: one from 10 p rows takes p^3 / 160 non-zeros' worth of products
MANY_CLASSES = 3e9  # above, one factorisation a class, a third of a second, costs more than it saves
PRODUCTS_PER_PRECONDITIONER = 20  # of truncated Newton, whose linear solves make up for an old one
SPARSE_ACCURACY = 0.03  # of Newton's equations, where a product costs no more than an evaluation
MANY_STEPS = (
    40  # of truncated Newton, which takes five to fifteen as a rule, and among samples, which take three to ten
)
ON_SPHERES_ACCURACY, ON_SPHERES_TOLERANCE = 1e-3, 1e-20  # steps are cheap: down to where weights equal repetition

# Samples of tall data. A sample's optimum is as good as its size: passes over all rows against Hessians of samples.
DIGITS = 5.0  # decimal digits of the gap that the passes over all rows have to gain
HESSIAN_COST = 33.0  # timed: a row of a Hessian over p features costs p / 33 rows of a pass
STATISTICAL = 0.05  # of parameters over rows: accuracy beyond it is lost in the sample's own error
FEWEST_ROWS, WORTH_A_SAMPLE = 500, 4  # rows of a sample, and how many times as many it should save
BY_CLASS_SAMPLES = (1_000, 8_000)  # timed on 100,000 x 60 x 8
LARGEST_SHARE = 0.25  # of all rows: a sample is a copy, and its Hessian has to cost less than theirs
FEWEST_TIMES, FEW_TIMES, MORE_TIMES = 5, 10, 20  # rows a parameter: a Hessian's error is the root of their inverse
TYPICAL_TIMES = 40  # the same where nothing but the Gram matrix is known, which is made once
STEP_COST = 2.5  # passes over a sample that a step on it takes beside the Hessian
SAMPLE_PATIENCE, SAMPLE_STEPS = 3.0, 100  # steps on a sample for which no new Hessian is made, and all of them at most
JOINT_PASSES, SAMPLED_PASSES = 40.0, 6.0  # over all rows, by products for K classes and after samples

# Sweeps over the duals of sparse rows, by their time beside truncated Newton's for cross-entropy on text, one-hot
# fields and random rows, 500 to 100,000 of them, C from 0.01 to 10,000: 0.5 to 1.3, but up to 3 with more rows.
FEW_ROWS = 0.5  # for every feature
CLOSE_ROWS = 0.5  # the mean of |row|^2 over the penalty and n: below, the duals are next to the slopes at the start
KINKED_PASSES = 300.0  # with piecewise-linear losses, whose exact solver goes on from the duals
FEW_KINKED_PASSES = 100.0  # timed on one-hot fields: the exact solver is fast with fewer features than rows
JOINT_SWEEPS = 0.2  # timed on 150 x 4 x 3 to 3,000 x 100 x 10: the share of the exact solver's time for sweeps before
FEWEST_JOINT_PASSES = 60.0  # which most of those took; where fewer are allowed they do not arrive
HANDED_OVER = 1e-3  # relative gap at which the exact solver of joint losses goes on; rougher duals take it longer
MANY_SWEEPS = 100_000  # for the exact solver, which passes over all rows limit before
SWEPT_PASSES = 100.0  # which the slowest of those runs took; then truncated Newton goes on

# Starts
STARTING_TOLERANCE = 1e-4  # of the solution of another loss to start from
EASIER_TOLERANCE = 1e-1  # of losses on cosines with less margin, of which only the valley is wanted
VALLEY_TOLERANCE = 1e-3  # of what other starts lead to, where that takes long
MANY_ENTRIES = 5e5  # of rows times parameters: beyond, two ends alike are enough, for minima were never seen to differ
EVEN_SLOPES = 1e-6  # difference of a loss's two slopes far away that is none
NARROW = 0.05  # share of the spread of y in which the slopes of a loss of straight lines change
STRAIGHT = 0.9  # share of its slope far away that such a loss has by then
MANY_TARGETS = 20_000  # of which a part is enough to find a constant that fits them
SAMPLED_STARTS, TALL = 8_000, 4  # rows of a sample on which starts are looked for, of so many times as many
ROWS_A_PARAMETER = 20  # of such a sample at least, or the start is that of the sample's noise

# Paths
FEW_FITS = 5  # that are faster without the factorisation of a triangle
TRIANGLE_ROWS, TRIANGLE_ENTRIES = 2.0, 2e7  # rows a feature from which it is smaller, and entries of a copy at most
PARABOLA = 2e7  # multiplications for the Gram matrix of a few hundred rows and features, of a fit of a path's

# Ends
CERTIFICATION_ROUNDS = 5  # of a solver that stopped short of a bound within the tolerance
WITHIN = 0.1  # of a gap that is allowed: what a solver aims at that has missed it, or that nothing else will check
ROUNDED, SAME = 2.0**-49, 2.0**-46  # relative differences that rounding can make, of parameters and of values
AN_EXACT_FIT = 100.0  # times what rounding changes, as long as that is nothing beside no fit
STALLED, PROGRESS = 20, 1e-9  # iterations, and the share of the value by which it has to fall in so many
SHARPER = 0.01  # of a tolerance that left a solver short of the minimum
VANISHED = 1e-9  # share of the value without features at which separable classes leave nothing to learn
VANISHED_TO_ZERO = 1e-16  # where F has a minimum, so that it can be found: below, it is nothing but rounding
FAR_SCORE = 30.0  # at which only losses with a flat part are at their least value
TRIED_STEPS, TRIED_PARAMETERS = 20, 300  # of a minimum that a solver claims without a bound
ROWS_FOR_RANK = 20  # for every parameter, by which nearly dependent columns are recognised
BESIDE = 1e-4  # of the size of x: how far from a cone's tip descents begin that try whether it is one

# Along strengths, by what a polynomial through the last minima leaves of F on six data sets: 1e-6 to 1e-5 at steps of
# 0.5, nothing won at steps of 1.2. Strengths count by their logarithms.
FORETELLING = 4  # minima; a fifth one wins little, and loses where curvatures jump
NEXT_TO, FAR = 1e-6, 0.9  # steps at which the last minimum is as good a start
EVEN = 0.25  # share of a step that is far enough between two minima to tell a slope
FORETOLD_STEPS, SOON = 20, 2  # of fits that go on like this at most, and of those whose preconditioner is good enough
