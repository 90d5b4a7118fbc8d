# What a cron job finds as `zfs` and `mount`: hands its arguments to the test server and does what that says.
#   perl standIn.pl SOCKET PROGRAM [ARGUMENT...]
# Both ways go words with their lengths before them (standInServer.ts): PROGRAM, standard input, arguments there; exit code,
# standard output, standard error and, where the rest is to be done here, a command back. Not in Node, which would take
# longer to start than `zfs` takes for all of it.
use strict;
use warnings;
use Socket;

my ($path, $program, @arguments) = @ARGV;
my $is_receive = $program eq 'zfs' && ($arguments[0] // '') =~ /^(recv|receive)$/;
my $input = $is_receive ? do { local $/; <STDIN> // '' } : '';

socket my $server, PF_UNIX, SOCK_STREAM, 0 or refuse();
connect $server, pack_sockaddr_un($path) or refuse();
my $request = pack '(N/a*)*', $program, $input, @arguments;
while ($request ne '') { substr $request, 0, syswrite($server, $request) // refuse(), '' }
shutdown $server, 1;
my ($code, $output, $errors, @command) = unpack '(N/a*)*', do { local $/; <$server> // '' };
refuse() if !defined $code;
print STDOUT $output;
print STDERR $errors;
exit $code if !@command;
system { $command[0] } @command;
exit($? & 127 ? 1 : $? >> 8);

sub refuse {
  print STDERR "$program: the test server does not answer: $!\n";
  exit 1;
}
