#!/usr/bin/perl
# In the place of ffmpeg or ffprobe: tries what one could that a film or a camera has taken over, and says of each attempt `done`, or
# why not. What to try on is in /usr/local/share/targets: NAME VALUE, a line each.
use strict;
use warnings;
use Fcntl;
use POSIX ();
use Socket;

# Too large a file is an error here, and not an end.
$SIG{XFSZ} = $SIG{PIPE} = 'IGNORE';
$| = 1;
my ($file, $socket);
open(my $targets, '<', '/usr/local/share/targets') or die "targets: $!";
my %at = map { chomp; split / /, $_, 2 } <$targets>;

# Each gives true, or leaves why not in $!.
my %tries;
sub reads { my ($path) = @_; return sub { sysopen($file, $path, O_RDONLY) && sysread($file, my $byte, 1) } }
$tries{"read $_"} = reads($at{$_}) for qw(catalog key credential password configuration);
$tries{'list state'} = sub { opendir(my $folder, $at{state}) };
for my $place (qw(incoming segments)) {
  my $path = $at{$place};
  $tries{"unlink in $place"} = sub { unlink "$path/first" };
  $tries{"truncate in $place"} = sub { truncate "$path/second", 0 };
  $tries{"rename in $place"} = sub { rename "$path/third", "$path/third.other" };
  $tries{"overwrite in $place"} = sub { sysopen($file, "$path/fourth", O_WRONLY) && syswrite($file, 'x') };
  $tries{"create in $place"} = sub { writes("$path/new") };
}
$tries{'write elsewhere'} = sub {
  for my $folder ('/tmp', '/var/tmp', '/dev/shm', '/run', '/', '/film', '/home', '/usr', '/proc', '.') { writes("$folder/x$$") and return 1 }
  return 0;
};


# Names alone, without a byte in them, say something too, and stay. Not in /film: that goes with its room.
my @folders = grep { -d && !m{^/(?:film|sys|proc/\d+)\b} } glob('/ /.* /* /*/* /dev/shm/* /proc/self .');
for (['leave an empty file', sub { sysopen($file, $_[0], O_WRONLY | O_CREAT | O_EXCL) }], ['leave a folder', sub { mkdir $_[0] }],
  ['leave a link', sub { symlink 'what it saw', $_[0] }], ['leave a pipe', sub { POSIX::mkfifo($_[0], 0600) }],
  ['leave a socket', sub { socket($socket, PF_UNIX, SOCK_STREAM, 0) && bind($socket, sockaddr_un($_[0])) }]) {
  my ($name, $leaves) = @$_;
  $tries{$name} = sub {
    for my $folder (@folders) { $leaves->("$folder/$name $$") and return 1 }
    return 0;
  };
}

sub writes { my ($path) = @_; return sysopen($file, $path, O_WRONLY | O_CREAT | O_EXCL) && syswrite($file, 'x') }

sub reaches {
  my ($host, $port) = @_;
  socket($socket, PF_INET, SOCK_STREAM, 0) or return 0;
  return connect($socket, sockaddr_in($port, inet_aton($host)));
}
$tries{'reach loopback'} = sub { reaches('127.0.0.1', $at{port}) };
$tries{'reach another address'} = sub { reaches($at{address}, $at{port}) };
$tries{'speak IPv6'} = sub { socket($socket, PF_INET6, SOCK_STREAM, 0) };
$tries{'send a datagram'} = sub {
  socket($socket, PF_INET, SOCK_DGRAM, 0) && send($socket, 'x', 0, sockaddr_in($at{port}, inet_aton($at{address})));
};
$tries{'speak to core'} = sub { speaks($at{control}) };
$tries{'have another one started'} = sub { speaks('/run/bewaard/ffprobe.sock') };

sub speaks { my ($path) = @_; socket($socket, PF_UNIX, SOCK_STREAM, 0) && connect($socket, sockaddr_un($path)) }
$tries{'hear of devices'} = sub { socket($socket, 16, SOCK_DGRAM, 15) };

# In the gate's network, where others of its kind are.
$tries{'be heard by others'} = sub { socket($socket, PF_INET, SOCK_STREAM, 0) && bind($socket, sockaddr_in(8555, INADDR_LOOPBACK)) };
$tries{'listen'} = sub { socket($socket, PF_INET, SOCK_STREAM, 0) && listen($socket, 1) };

# x86-64: kill, ptrace, process_vm_readv.
sub called { my ($result) = @_; return $result >= 0 }
$tries{'signal the recorder'} = sub { called(syscall(62, $at{pid} + 0, 0)) };
sub traces { my ($pid) = @_; return called(syscall(101, 16, $pid, 0, 0)) && (waitpid($pid, 0), called(syscall(101, 17, $pid, 0, 0)) || 1) }
$tries{'trace the recorder'} = sub { traces($at{pid} + 0) };
$tries{'trace who started it'} = sub { traces(getppid()) };
$tries{"read the recorder's memory"} = sub { sysopen($file, "/proc/$at{pid}/mem", O_RDONLY) };
$tries{"read the recorder's environment"} = reads("/proc/$at{pid}/environ");
$tries{'find the recorder'} = sub { -e "/proc/$at{pid}" };
$tries{"write into the memory of who started it"} = sub { sysopen($file, '/proc/' . getppid() . '/mem', O_WRONLY) };
$tries{'signal who started it'} = sub { called(syscall(62, getppid(), 0)) };
# mmap of what may be written and run.
$tries{'run what it wrote'} = sub { called(syscall(9, 0, 4096, 7, 0x22, -1, 0)) };
# unshare of a user's namespace: in a process of its own, for whoever is in another one may look at nobody.
$tries{'make a namespace'} = sub {
  my $child = fork;
  exit(called(syscall(272, 0x10000000)) ? 0 : $! + 0) if !$child;
  waitpid($child, 0);
  $! = $? >> 8;
  return $? == 0;
};
# Not among the walls, but what is left in them.
$tries{'reach the gate'} = sub { reaches('127.0.0.1', 8554) };

for my $name (sort keys %tries) {
  $! = 0;
  print "$name: ", ($tries{$name}->() ? 'done' : 'no, ' . ($! || 'nothing')), "\n";
}
