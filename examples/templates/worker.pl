#!/usr/bin/env perl
# A worker in Perl 5.14 or later, with core modules alone. Copy it and put your work in place of `words`.
#
#     echo '{"id": "1", "type": "example.words", "params": {"text": "to be or not to be"}}' | ./worker.pl
#
# It reads one task from standard input, writes one result to standard output, and leaves with a code that says whether
# trying again may help. Whatever it warns of goes to standard error, which is the task's log.

use strict;
use warnings;
use IO::Handle;
use IO::Select;
use JSON::PP;
use List::Util qw(min);
use POSIX qw(ceil);
use Time::HiRes qw(sleep time);

my $json = JSON::PP->new->utf8->canonical;

# Ends the work: the task is wrong and trying again cannot help.
sub refuse {
    die { type => 'Refused', message => $_[0], retry_possible => JSON::PP::false, code => 2 };
}

# Ends the work before it is done: by a signal (143) or because its time runs short (3).
sub stop {
    my ($type, $code) = @_;
    my $message = 'stopped before the work was done';
    die { type => $type, message => $message, retry_possible => JSON::PP::true, code => $code };
}

# A line to a host that has gone must not end the work.
$SIG{PIPE} = 'IGNORE';
$SIG{TERM} = sub { stop('Interrupted', 143) };

# --- the channel: events out, control in ---

my $channel;
if (defined $ENV{WORKERHOST_CHANNEL_FD}) {
    open $channel, '+<&=', $ENV{WORKERHOST_CHANNEL_FD} or undef $channel;
}
my $unread = '';

sub tell_host {
    my ($event) = @_;
    return if !$channel;
    syswrite $channel, $json->encode($event) . "\n" or undef $channel;
    return;
}

# Rests for so many seconds, and reads meanwhile what the host says.
sub rest {
    my ($seconds) = @_;
    my $end = time + $seconds;
    while ($channel) {
        my $left = $end - time;
        IO::Select->new($channel)->can_read($left > 0 ? $left : 0) or return;
        hear();
    }
    my $left = $end - time;
    sleep $left if $left > 0;
    return;
}

sub hear {
    sysread $channel, $unread, 65536, length $unread or undef $channel;
    while ($unread =~ s/\A([^\n]*)\n//) {
        # Anything else the host may say is for workers that can use it.
        stop('OutOfTime', 3) if ($json->decode($1)->{control} // '') eq 'soft_timeout';
    }
    return;
}

# --- the work: counts the words of `params.text`; `params.pause_ms` stands for work that takes its time ---

my @words;
my $done = 0;

sub words {
    my ($params) = @_;
    my $text = $params->{text} // '';
    refuse('params.text is not a string') if ref $text;
    @words = split ' ', $text;
    # Ten batches at most, so that a long text makes no flood of events.
    my $batch = ceil(@words / 10);
    while ($done < @words) {
        rest(($params->{pause_ms} // 0) / 1000);
        $done = min($done + $batch, scalar @words);
        tell_host({ event => 'progress', current => $done, total => scalar @words });
    }
    return;
}

# What is known so far. Of two words equally common the first one wins.
sub result {
    my (%count, @order);
    for my $word (@words[0 .. $done - 1]) {
        push @order, $word if !$count{$word}++;
    }
    my ($most_common) = sort { $count{$b} <=> $count{$a} } @order;
    return { words => $done, distinct => scalar @order, most_common => $most_common };
}

# --- the envelope ---

# The parameters of the task on standard input, which ends where the task ends.
sub read_params {
    my $text = do { local $/; <STDIN> };
    my $task = eval { $json->decode($text) } // refuse('standard input is not JSON');
    refuse('the task is not an object') if ref $task ne 'HASH';
    refuse('the task has no id') if !defined $task->{id} || ref $task->{id};
    my $type = $task->{type} // 'null';
    refuse("this worker does no tasks of type $type") if $type ne 'example.words';
    refuse('params is not an object') if ref $task->{params} ne 'HASH';
    return $task->{params};
}

my ($answer, $code);
my $begun = 0;
if (eval { my $params = read_params(); $begun = 1; words($params); 1 }) {
    ($answer, $code) = ({ success => JSON::PP::true, result => result() }, 0);
}
else {
    my $error = $@;
    # An accident of any other kind: exit code 1, so that the host tries again.
    $error = { type => 'Died', message => "$@", retry_possible => JSON::PP::true, code => 1 } if ref $error ne 'HASH';
    $code = delete $error->{code};
    $answer = { success => JSON::PP::false, error => $error };
    # The host keeps what is under `partial` for whoever asks.
    $answer->{partial} = result() if $begun && $code != 2;
}
# From here on a signal could only cut the answer in two.
$SIG{TERM} = 'IGNORE';
STDOUT->autoflush(1);
print $json->encode($answer), "\n";
exit $code;
