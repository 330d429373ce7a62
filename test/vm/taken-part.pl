#!/usr/bin/perl
# In the place of a dock or a recorder: tries what one could that a card or a camera has taken over, and says of each attempt `done`, or
# why not. What to try on is in /usr/local/share/parts: NAME VALUE, a line each. Whoever may do one of these leaves all as it was, but for
# files that are there for that.
use strict;
use warnings;
use Fcntl;
use POSIX ();
use Socket;

$SIG{PIPE} = 'IGNORE';
$| = 1;
my ($file, $socket);
open(my $targets, '<', '/usr/local/share/parts') or die "parts: $!";
my %at = map { chomp; split / /, $_, 2 } <$targets>;

# Each gives true, or leaves why not in $!.
my %tries;
sub reads { my ($path) = @_; return sub { sysopen($file, $path, O_RDONLY) && sysread($file, my $byte, 1) } }
sub lists { my ($path) = @_; return sub { opendir(my $folder, $path) } }
# As it was: there may be a program to which it is dear.
sub rewrites {
  my ($path) = @_;
  my $byte;
  return sub { sysopen($file, $path, O_RDWR) && sysread($file, $byte, 1) && sysseek($file, 0, 0) && syswrite($file, $byte) };
}
sub makes { my ($path) = @_; return sub { sysopen($file, $path, O_WRONLY | O_CREAT | O_EXCL) && unlink $path } }
sub moves { my ($path) = @_; return sub { rename($path, "$path.other") && rename("$path.other", $path) } }
sub speaks { my ($path) = @_; return sub { socket($socket, PF_UNIX, SOCK_STREAM, 0) && connect($socket, sockaddr_un($path)) } }

$tries{"read the $_"} = reads($at{$_}) for qw(catalog log key credential password);
$tries{"list $_"} = lists($at{$_}) for qw(state spool segments quarantine vault incoming dock record);
$tries{'rewrite a row'} = rewrites($at{catalog});
$tries{'rewrite what is not in the catalog yet'} = rewrites($at{log});
$tries{'have the catalog roll back'} = makes("$at{catalog}-journal");
$tries{'order the helper'} = makes("$at{state}/orders/order");
$tries{'report for the helper'} = makes('/run/bewaard/reports/report');
$tries{'rewrite the configuration'} = rewrites('/etc/bewaard/bewaard.yaml');
$tries{'write a hold'} = makes("$at{vault}/desk/entry");
$tries{'be another spool'} = rewrites("$at{spool}/bewaard-spool.json");

# What lies there is for that: first to fourth.
for my $name (qw(segments vault dock record)) {
  my $path = $at{$name};
  $tries{"unlink in $name"} = sub { unlink "$path/first" };
  $tries{"truncate in $name"} = sub { truncate "$path/second", 0 };
  $tries{"rename in $name"} = moves("$path/third");
  $tries{"overwrite in $name"} = rewrites("$path/fourth");
  $tries{"create in $name"} = makes("$path/new");
  $tries{"take from $name"} = sub { rename("$path/third", "$at{own}/taken") && rename("$at{own}/taken", "$path/third") };
  $tries{"link to what is in $name"} = sub { link("$path/fourth", "$at{own}/linked") && unlink "$at{own}/linked" };
}
$tries{"create in $_"} = makes("$at{$_}/new") for qw(incoming quarantine spool);
$tries{'move its folder'} = moves($at{own});
for my $part (qw(core dock record)) {
  $tries{"lock the lease of $part"} = sub {
    # struct flock of x86-64: a lock of all of it, to write.
    my $lock = pack('s s x4 q q i x4', F_WRLCK, 0, 0, 0, 0);
    return sysopen($file, "$at{lease}/$part", O_RDWR) && fcntl($file, F_GETLK, $lock);
  };
  $tries{"replace the lease of $part"} = moves("$at{lease}/$part");
}
# Of a file of its own: what is another's is taken from nobody else.
$tries{'give a file away'} = sub { makes_one() && chown($at{core}, -1, "$at{own}/given") };
$tries{'leave a file that has the rights of who made it'} = sub { makes_one() && chmod(06755, "$at{own}/given") };
sub makes_one { my $path = "$at{own}/given"; unlink $path; return sysopen($file, $path, O_WRONLY | O_CREAT | O_EXCL) }

$tries{'command core'} = speaks($at{control});
$tries{'ask as the dock'} = speaks('/run/bewaard/dock/known.sock');
$tries{'ask as the recorder'} = speaks('/run/bewaard/record/room.sock');
$tries{'have ffprobe started'} = speaks('/run/bewaard/ffprobe.sock');
$tries{'have ffmpeg started'} = speaks('/run/bewaard/ffmpeg.sock');
$tries{'watch a camera'} = speaks($at{live});

sub internet { my ($kind) = @_; return socket($socket, PF_INET, $kind, 0) }
sub port { my ($host) = @_; return sockaddr_in($at{port}, inet_aton($host)) }
$tries{'reach loopback'} = sub { internet(SOCK_STREAM) && connect($socket, port('127.0.0.1')) };
$tries{'reach another address'} = sub { internet(SOCK_STREAM) && connect($socket, port($at{address})) };
$tries{'send a datagram'} = sub { internet(SOCK_DGRAM) && send($socket, 'x', 0, port($at{address})) };

# x86-64: kill, ptrace, unshare, setuid.
sub called { my (@how) = @_; return syscall($how[0], map { $_ + 0 } @how[1 .. $#how]) >= 0 }
my $pid = $at{pid};
$tries{'find core'} = sub { -e "/proc/$pid" };
$tries{'signal core'} = sub { called(62, $pid, 0) };
$tries{'trace core'} = sub { called(101, 16, $pid, 0, 0) && (waitpid($pid, 0), called(101, 17, $pid, 0, 0) || 1) };
$tries{"read core's memory"} = sub { sysopen($file, "/proc/$pid/mem", O_RDONLY) };
$tries{"write into core's memory"} = sub { sysopen($file, "/proc/$pid/mem", O_WRONLY) };
$tries{"read core's environment"} = reads("/proc/$pid/environ");
$tries{'become core'} = sub { called(105, $at{core}) };
$tries{'become root'} = sub { called(105, 0) };
$tries{'make a namespace'} = sub { called(272, 0x10000000) };

# Each in a process of its own: what is not even to be asked for ends who asks, and who has become another may look at nobody, or at all.
for my $name (sort keys %tries) {
  my $child = fork;
  if (!$child) {
    $! = 0;
    POSIX::_exit($tries{$name}->() ? 255 : $! + 0);
  }
  waitpid($child, 0);
  my $signal = $? & 127;
  my $errno = $? >> 8;
  $! = $errno;
  print "$name: ", ($errno == 255 ? 'done' : 'no, ' . ($signal ? "ended by signal $signal" : $errno ? $! : 'nothing')), "\n";
}
unlink "$at{own}/given";
