#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
# Reads values of fields, a line each in hexadecimal digits, and prints for each a line of what
# Email::Address::XS takes for addresses there, each in hexadecimal digits, valid or not.
use strict;
use warnings;
use Email::Address::XS;

local $SIG{__WARN__} = sub { };
$| = 1;
while (my $line = <STDIN>) {
    chomp $line;
    my $value = pack 'H*', $line;
    my %found;
    for my $address (Email::Address::XS->parse($value)) {
        my ($user, $host) = ($address->user, $address->host);
        next unless defined $user && length $user;
        $found{defined $host && length $host ? "$user\@$host" : $user} = 1;
    }
    my $bare = Email::Address::XS->parse_bare_address($value);
    $found{$bare->user . '@' . $bare->host} = 1 if $bare->is_valid;
    print join(' ', map { unpack 'H*', $_ } sort keys %found), "\n";
}
