using FactoryStream.Dashboard.Pipeline;

namespace FactoryStream.Tests.Dashboard;

public sealed class MemberAssignmentTests
{
    // Version 0; two topics: "ab" with the partitions 3 and 1, "c" with 0; no data of the member's own.
    private static readonly byte[] TwoTopics = Convert.FromHexString(
        "0000" + "00000002" + "0002" + "6162" + "00000002" + "00000003" + "00000001" + "0001" + "63" + "00000001" + "00000000" + "FFFFFFFF"
    );

    [Fact]
    public void Partitions_are_told_by_topic() =>
        Assert.Equal(["ab 1 3", "c 0"], MemberAssignment.Parse(TwoTopics).Select(one => $"{one.Topic} {string.Join(' ', one.Partitions)}"));

    [Fact]
    public void A_member_without_partitions_has_none() => Assert.Empty(MemberAssignment.Parse([]));

    [Fact]
    public void What_is_cut_off_or_makes_no_sense_is_none()
    {
        for (var length = 0; length < TwoTopics.Length - 4; length++)
            Assert.Empty(MemberAssignment.Parse(TwoTopics.AsSpan(0, length)));
        Assert.Empty(MemberAssignment.Parse(Convert.FromHexString("0000" + "7FFFFFFF" + "FFFF" + "6162")));
    }
}
