#!/usr/bin/perl
# hands-over.pl PRODUCER INCOMING DEVICE ID: in the place of a dock or a recorder, which core believes what footage it has. Hands over some,
# keeps it open, and writes into it when it is told, by SIGUSR1.
use strict;
use warnings;
use IO::Handle;
use POSIX ();

my ($producer, $incoming, $device, $id) = @ARGV;
my $path = "$incoming/$id";
my $told = 0;
$SIG{USR1} = sub { $told = 1 };
my $content = "age-encryption.org/v1\n" . ('what a camera saw ' x 300);
open(my $footage, '+>', "$path.age") or die "$path.age: $!";
print $footage $content;
$footage->flush && $footage->sync or die "$path.age: $!";
chmod 0440, "$path.age";

my ($digest) = `sha256sum $path.age` =~ /^(\w+)/ or die 'no sha256sum';
my $bytes = length $content;
my $now = POSIX::strftime('%Y-%m-%dT%H:%M:%S.000Z', gmtime);
my $day = substr $now, 0, 10;
open(my $boot, '<', '/proc/sys/kernel/random/boot_id') or die "boot_id: $!";
chomp(my $boot_id = <$boot>);
my ($node, $bytes_of_part) = ('dock-1', 64 * 1024 * 1024);
open(my $manifest, '>', "$path.json.partial") or die "$path.json: $!";
# In the order of their names: any other would not be canonical.
print $manifest qq({"arrivedAt":"$now","arrivedUptime":{"bootId":"$boot_id","ms":1},"bewaard":"manifest/1",)
  . qq("ciphertext":{"bytes":$bytes,"partBytes":$bytes_of_part,"parts":["$digest"]},"device":"$device","file":null,"id":"$id",)
  . qq("kind":"segment","node":"$node","plaintext":{"bytes":$bytes,"sha256":"$digest"},"producer":"$producer",)
  . qq("recording":{"alternativeStartedAt":null,"clock":{"declared":"synchronised","offsetMs":null},"endedAt":null,"source":"stream",)
  . qq("startedAt":"$now"},"rewritten":null,"sealedFor":"$day","truncated":false});
$manifest->flush && $manifest->sync or die "$path.json: $!";
chmod 0440, "$path.json.partial";
rename "$path.json.partial", "$path.json";

sleep 1 until $told;
seek $footage, 300, 0;
print $footage 'something else';
