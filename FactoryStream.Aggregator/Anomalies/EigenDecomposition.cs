namespace FactoryStream.Aggregator.Anomalies;

/// <summary>Eigenvalues and eigenvectors of a symmetric matrix, greatest first.</summary>
/// <param name="Values">Of a covariance they are variances: what rounding makes negative is 0.</param>
/// <param name="Vectors">One for each value, of length 1.</param>
internal sealed record EigenDecomposition(double[] Values, double[][] Vectors)
{
    // Jacobi's method converges quadratically: usual are six to ten sweeps.
    private const int MostSweeps = 60;

    /// <summary>
    /// By Jacobi's rotations, cyclic by rows: Golub and Van Loan, "Matrix Computations", 4th edition (2013), section 8.5. They need no
    /// starting vector and are accurate for singular matrices too.
    /// </summary>
    /// <param name="symmetric">Is overwritten.</param>
    public static EigenDecomposition Of(double[,] symmetric)
    {
        var size = symmetric.GetLength(0);
        var vectors = new double[size][];
        for (var i = 0; i < size; i++)
        {
            vectors[i] = new double[size];
            vectors[i][i] = 1;
        }
        // Below this an element is rounding.
        var nothing = 1e-14 * Enumerable.Range(0, size).Select(i => symmetric[i, i]).DefaultIfEmpty().Max();
        var sweeps = 0;
        while (sweeps < MostSweeps && Sweep(symmetric, vectors, nothing))
            sweeps++;

        var order = Enumerable.Range(0, size).OrderByDescending(i => symmetric[i, i]).ToArray();
        return new([.. order.Select(i => Math.Max(0, symmetric[i, i]))], [.. order.Select(i => vectors[i])]);
    }

    /// <summary>The squared projection of a vector on the eigenvector with this index.</summary>
    public double SquaredProjection(int index, ReadOnlySpan<double> vector)
    {
        var eigenvector = Vectors[index];
        var sum = 0.0;
        for (var i = 0; i < eigenvector.Length; i++)
            sum += eigenvector[i] * vector[i];
        return sum * sum;
    }

    /// <returns>Whether anything was left to rotate.</returns>
    private static bool Sweep(double[,] matrix, double[][] vectors, double nothing)
    {
        var rotated = false;
        for (var p = 0; p < vectors.Length - 1; p++)
        {
            for (var q = p + 1; q < vectors.Length; q++)
            {
                if (Math.Abs(matrix[p, q]) <= nothing)
                    continue;
                Rotate(matrix, vectors, p, q);
                rotated = true;
            }
        }
        return rotated;
    }

    /// <summary>Turns in the plane of p and q so that the element (p, q) becomes 0.</summary>
    private static void Rotate(double[,] matrix, double[][] vectors, int p, int q)
    {
        var tau = (matrix[q, q] - matrix[p, p]) / (2 * matrix[p, q]);
        var tangent = tau >= 0 ? 1 / (tau + Math.Sqrt(1 + tau * tau)) : 1 / (tau - Math.Sqrt(1 + tau * tau));
        var cosine = 1 / Math.Sqrt(1 + tangent * tangent);
        var sine = tangent * cosine;
        for (var i = 0; i < vectors.Length; i++)
            (matrix[i, p], matrix[i, q]) = (cosine * matrix[i, p] - sine * matrix[i, q], sine * matrix[i, p] + cosine * matrix[i, q]);
        for (var i = 0; i < vectors.Length; i++)
        {
            (matrix[p, i], matrix[q, i]) = (cosine * matrix[p, i] - sine * matrix[q, i], sine * matrix[p, i] + cosine * matrix[q, i]);
            (vectors[p][i], vectors[q][i]) = (cosine * vectors[p][i] - sine * vectors[q][i], sine * vectors[p][i] + cosine * vectors[q][i]);
        }
        matrix[p, q] = matrix[q, p] = 0;
    }
}
