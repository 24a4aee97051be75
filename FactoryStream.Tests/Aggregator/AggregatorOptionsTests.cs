using System.ComponentModel.DataAnnotations;
using FactoryStream.Aggregator;

namespace FactoryStream.Tests.Aggregator;

public sealed class AggregatorOptionsTests
{
    [Theory]
    [InlineData(0, 0, 0, 0, "")]
    [InlineData(7, 8, 8, 8, "")]
    [InlineData(7, 8, 30, 400, "")]
    [InlineData(7, 8, 0, 0, "")]
    [InlineData(0, 8, 0, 0, "WindowRetentionDays")]
    [InlineData(7, 7, 0, 0, "WindowRetentionDays")]
    [InlineData(0, 0, 30, 0, "MinuteRetentionDays")]
    [InlineData(7, 31, 30, 0, "MinuteRetentionDays")]
    [InlineData(7, 8, 30, 29, "HourRetentionDays")]
    [InlineData(7, 8, 0, 400, "HourRetentionDays")]
    public void A_coarser_step_is_kept_no_shorter_than_a_finer_one(int readings, int windows, int minutes, int hours, string wrong)
    {
        var options = new AggregatorOptions
        {
            RetentionDays = readings,
            WindowRetentionDays = windows,
            MinuteRetentionDays = minutes,
            HourRetentionDays = hours,
        };
        var results = new List<ValidationResult>();

        Validator.TryValidateObject(options, new ValidationContext(options), results, validateAllProperties: true);

        Assert.Equal(wrong, string.Join(' ', results.SelectMany(result => result.MemberNames)));
    }
}
