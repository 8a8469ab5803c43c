#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Runs SpamAssassin on messages: reference.pl RULES-FOLDER MESSAGE... Local rules only, no network,
# no learner, no plug-ins but the one that runs rules. A line each: message, score, NAME=COUNT.
# First a line "rules NAME...": the header and meta rules that it has taken. With BENCH=N in the
# environment it runs each message N times instead and prints microseconds of CPU per message.
use strict;
use warnings;
use Mail::SpamAssassin;
use Time::HiRes qw(clock);

my $folder = shift @ARGV;

# The second of four scores counts in gatepost, whatever SpamAssassin would choose.
{
    no warnings 'redefine';
    my $set = \&Mail::SpamAssassin::Conf::set_score_set;
    *Mail::SpamAssassin::Conf::set_score_set = sub { $set->($_[0], 1) };
}
my $sa = Mail::SpamAssassin->new({
    rules_filename => $folder,
    site_rules_filename => "$folder/none",
    userprefs_filename => "$folder/none",
    local_tests_only => 1,
    dont_copy_prefs => 1,
    require_rules => 0,
    userstate_dir => "$folder",
    config_text => undef,
    post_config_text => "use_bayes 0\nuse_learner 0\nbayes_auto_learn 0\nskip_rbl_checks 1\n"
      . "envelope_sender_header Return-Path\n",
});
$sa->init(0);

my %kind = %{$sa->{conf}->{test_types}};
print join(' ', 'rules', sort grep {
    $kind{$_} == $Mail::SpamAssassin::Conf::TYPE_HEAD_TESTS
      || $kind{$_} == $Mail::SpamAssassin::Conf::TYPE_META_TESTS
} keys %kind), "\n";
print join(' ', 'others', sort grep {
    $kind{$_} != $Mail::SpamAssassin::Conf::TYPE_HEAD_TESTS
      && $kind{$_} != $Mail::SpamAssassin::Conf::TYPE_META_TESTS
} keys %kind), "\n";

sub check {
    my ($data) = @_;
    my $mail = $sa->parse($data);
    my $status = $sa->check($mail);
    my %hits = map { $_ => $status->{tests_already_hit}->{$_} }
      grep { $status->{tests_already_hit}->{$_} } keys %{$status->{tests_already_hit}};
    my $score = $status->get_score();
    $status->finish();
    $mail->finish();
    return ($score, \%hits);
}

my @messages;
for my $path (@ARGV) {
    open my $in, '<', $path or die "$path: $!";
    binmode $in;
    local $/;
    push @messages, [$path, scalar <$in>];
    close $in;
}
if ($ENV{BENCH}) {
    check($_->[1]) for @messages;
    my $begin = clock();
    for (1 .. $ENV{BENCH}) {
        check($_->[1]) for @messages;
    }
    printf "cpu %.1f\n", (clock() - $begin) * 1e6 / $ENV{BENCH} / @messages;
    exit;
}
for (@messages) {
    my ($score, $hits) = check($_->[1]);
    printf "%s %.3f", $_->[0], $score;
    printf " %s=%s", $_, $hits->{$_} for sort keys %$hits;
    print "\n";
}
