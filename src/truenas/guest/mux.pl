# Runs many commands at once over the one terminal that it is started on. Runs in the sandbox as root.
#   the arguments  two halves of a random word. Printed as one, it says that we have begun: an echo of what was typed never is.
#
# After that word there are only frames, both ways: type (a letter), channel (4 bytes), length (4 bytes), payload.
#   from the client                                 to the client
#     S  start a command (see start)                  O  standard output; empty: its end
#     I  standard input; empty: its end               E  standard error; empty: its end
#     o  so many bytes of O were taken; e: of E       i  so many bytes of I were taken
#     K  send a signal                                X  the command has ended with this exit code
#     W  set the terminal's size                      P  the answer to P
#     H  hang up; Q: hang up everything, and end
#     P  are you there?
# On each stream no more is under way than its window, so that a slow reader keeps nobody else waiting.
# All of perl that is used here is in Debian's and Ubuntu's perl-base, which is on every installation.
use strict;

my $CHUNK = 32768;    # bytes that a frame carries at most
my $QUEUE = 65536;    # while so many bytes wait for the terminal, no output is read
my $GRACE = 2;        # seconds from a hang-up to a kill
my $LINGER = 1;       # seconds without output after which a command that has ended is over, as with Incus, although
                      # something in the background holds its output open
my $PATIENCE = 0.25;  # seconds: a SIGCHLD that comes just before select() does not end it

# From <asm-generic/ioctls.h>, fcntl.h, errno-base.h and signal.h: perl takes longer to load its modules for them than to start.
my ($TIOCSWINSZ, $TIOCNOTTY, $TIOCSPTLCK, $TIOCGPTN) = (0x5414, 0x5422, 0x40045431, 0x80045430);
my ($F_GETFL, $F_SETFL, $O_RDWR, $O_NOCTTY, $O_NONBLOCK) = (3, 4, 2, 0400, 04000);
my ($ENOENT, $EINTR, $EAGAIN) = (2, 4, 11);
my ($SIGKILL, $WNOHANG) = (9, 1);

# number => { number, pid, tty, in, input, input_ends, outputs => [{ type, file, window }], status, over_at, kill_at }
my %channels;
my ($received, $to_send, $gone) = ("", "$ARGV[0]$ARGV[1]+", 0);
my %handlers = (
  S => \&start,
  I => sub { take_input($channels{$_[0]}, $_[1]) },
  o => sub { $channels{$_[0]}{outputs}[0]{window} += unpack "N", $_[1] },
  e => sub { $channels{$_[0]}{outputs}[1]{window} += unpack "N", $_[1] },
  K => sub { signal($channels{$_[0]}, unpack "N", $_[1]) },
  W => sub { resize($channels{$_[0]}{in}, unpack "nn", $_[1]) },
  H => sub { hang_up($channels{$_[0]}) },
  P => sub { frame("P", 0, "") },
  Q => sub { $gone = 1 },
);

$0 = "pixels";  # for ps
$SIG{PIPE} = "IGNORE";
$SIG{CHLD} = sub { };
$SIG{HUP} = sub { $gone = 1 };
nonblocking($_) for \*STDIN, \*STDOUT;
open my $uptime, "<", "/proc/uptime" or die "uptime: $!";
transmit();  # the word: the first command is on its way when all else is ready
my $guard = start_guard();
my $spare;

until ($gone && !%channels) {
  my ($readable, $writable) = ("", "");
  vec($readable, 0, 1) = 1 if !$gone;
  vec($writable, 1, 1) = 1 if $to_send ne "";
  my $room = length $to_send < $QUEUE;
  for my $channel (values %channels) {
    vec($writable, fileno $channel->{in}, 1) = 1 if $channel->{in} && $channel->{input} ne "";
    for my $output (grep { $room && $_->{file} && $_->{window} > 0 } @{ $channel->{outputs} }) {
      vec($readable, fileno $output->{file}, 1) = 1;
    }
  }
  prepare() if !$spare && !%channels && $to_send eq "";
  # Nothing here blocks, so that it does no harm what select() leaves in the vectors when a signal ends it.
  select $readable, $writable, undef, %channels ? $PATIENCE : undef;

  receive() if vec $readable, 0, 1;
  reap();
  my @all = values %channels;  # some end on the way
  for my $channel (@all) {
    write_input($channel) if $channel->{in} && vec $writable, fileno $channel->{in}, 1;
    for my $output (grep { $room && $_->{file} && $_->{window} > 0 } @{ $channel->{outputs} }) {
      read_output($channel, $output) if defined $channel->{status} || vec $readable, fileno $output->{file}, 1;
    }
    hang_up($channel) if $gone;
    signal($channel, $SIGKILL) if $channel->{kill_at} && now() >= $channel->{kill_at};
    finish($channel) if defined $channel->{status} && !grep { $_->{file} } @{ $channel->{outputs} };
  }
  transmit() if $to_send ne "";
}

# Incus kills a shell whose client is gone. Then this second process hangs up what ran: it is told of every command that
# begins (PID) and has ended (-PID).
sub start_guard {
  pipe my $reports, my $guard or die "pipe: $!";
  return $guard if fork;
  close $guard;
  stand_alone();
  $SIG{HUP} = "IGNORE";
  close $_ for \*STDIN, \*STDOUT, \*STDERR;
  my %running;
  while (my $report = <$reports>) {
    if ($report > 0) { $running{ abs $report } = 1 }
    else { delete $running{ abs $report } }
  }
  kill HUP => -$_ for keys %running;
  exit 0;
}

# A child that waits for its command: a fork takes longer than most commands do. There is none while commands run, whose ends of pipes it
# would hold open.
sub prepare {
  my ($ours, $theirs) = open_pipes() or return;
  pipe my $reads, my $job or return;
  defined(my $pid = fork) or return;
  if ($pid) {
    $spare = { pid => $pid, ours => $ours, job => $job };
    return;
  }
  $SIG{HUP} = "DEFAULT";
  close $_ for @$ours, $job;
  my $payload = "";
  1 while sysread $reads, $payload, 65536, length $payload;
  exit 0 if $payload eq "";
  run($theirs, words_of($payload));
}

# Leaves our terminal, so that it is out of reach, and our group of processes.
sub stand_alone {
  setpgrp 0, 0;
  ioctl STDIN, $TIOCNOTTY, 0;
}

sub nonblocking { fcntl $_[0], $F_SETFL, $O_NONBLOCK | fcntl $_[0], $F_GETFL, 0 }

# Seconds since some moment, in hundredths, whatever happens to the date.
sub now {
  sysseek $uptime, 0, 0;
  sysread $uptime, my $seconds, 16;
  return (split " ", $seconds)[0];
}

sub would_block { $! == $EAGAIN || $! == $EINTR }

sub frame {
  my ($type, $number, $payload) = @_;
  $to_send .= pack("aNN", $type, $number, length $payload) . $payload;
}

sub receive {
  my $count = sysread STDIN, $received, 65536, length $received;
  $gone = 1 if !$count && (defined $count || !would_block());
  while (length $received >= 9) {
    my ($type, $number, $size) = unpack "aNN", $received;
    last if length $received < 9 + $size;
    my $payload = substr $received, 9, $size;
    substr($received, 0, 9 + $size) = "";
    $handlers{$type}->($number, $payload) if $type =~ /[SPQ]/ || $channels{$number};
  }
}

sub transmit {
  my $count = syswrite STDOUT, $to_send;
  $gone = 1 if !defined $count && !would_block();
  substr($to_send, 0, $gone ? length $to_send : $count) = "" if $gone || $count;
}

sub start {
  my ($number, $payload) = @_;
  my ($window, $uid, $tty, $rows, $columns) = unpack "NNx4Cnn", $payload;
  my ($pid, $ours) = $tty ? () : given_to_spare($payload);
  if (!$pid) {
    ($ours, my $theirs) = $tty ? open_terminal($uid, $rows, $columns) : open_pipes();
    $pid = $ours ? fork : undef;
    run($theirs, words_of($payload)) if defined $pid && $pid == 0;
  }
  if (!$pid) {
    my ($name) = (words_of($payload))[4];
    frame($tty ? "O" : "E", $number, "$name: cannot be started: $!\n");
    frame("X", $number, pack "N", 126);
    return;
  }
  nonblocking($_) for @$ours;
  my ($in, @out) = @$ours;
  my @outputs = map +{ type => (qw(O E))[$_], file => $out[$_], window => $window }, 0 .. $#out;
  $channels{$number} = { number => $number, pid => $pid, tty => $tty, in => $in, input => "", outputs => \@outputs };
}

# Who, what environment, and the command.
sub words_of {
  my ($uid, $gid, $cwd, $env_count, @words) = unpack "x4NNx5N/aN(N/a)*", $_[0];
  my @env = splice @words, 0, $env_count;
  return $uid, $gid, $cwd, \@env, @words;
}

sub given_to_spare {
  my ($payload) = @_;
  my $waiting = $spare or return;
  undef $spare;
  my $written = 0;
  while ($written < length $payload) {
    my $count = syswrite $waiting->{job}, $payload, length($payload) - $written, $written;
    next if !defined $count && $! == $EINTR;
    return if !$count;  # somebody has killed it
    $written += $count;
  }
  return $waiting->{pid}, $waiting->{ours};
}

# Our ends of three pipes, and the ends of the command.
sub open_pipes {
  my (@ours, @theirs);
  for my $stream (0 .. 2) {
    pipe my $read, my $write or return;
    ($ours[$stream], $theirs[$stream]) = $stream == 0 ? ($write, $read) : ($read, $write);
  }
  return \@ours, \@theirs;
}

# Our end of a terminal, for both directions, and the name of its other end.
sub open_terminal {
  my ($uid, @size) = @_;
  sysopen my $master, "/dev/ptmx", $O_RDWR | $O_NOCTTY or return;
  my $number = pack "i", 0;
  ioctl $master, $TIOCSPTLCK, $number or return;
  ioctl $master, $TIOCGPTN, $number or return;
  resize($master, @size);
  my $slave = "/dev/pts/" . unpack "i", $number;
  chown $uid, -1, $slave;
  return [$master, $master], $slave;
}

sub resize {
  my ($master, $rows, $columns) = @_;
  my $size = pack "S4", $rows, $columns, 0, 0;
  ioctl $master, $TIOCSWINSZ, $size if $master;
}

# In the child: becomes the command. Only one that has a terminal needs a session of its own, which is what that belongs to.
sub run {
  my ($theirs, $uid, $gid, $cwd, $env, @command) = @_;
  $SIG{$_} = "DEFAULT" for qw(HUP PIPE CHLD);
  exit 129 if $gone;
  if (ref $theirs) { stand_alone() }
  else {
    require POSIX;
    POSIX::setsid();
  }
  syswrite $guard, "$$\n";
  if (!ref $theirs) {
    sysopen my $slave, $theirs, $O_RDWR or exit 126;  # and so it becomes the controlling terminal
    $theirs = [($slave) x 3];
  }
  open STDIN, "<&", $theirs->[0] or exit 126;
  open STDOUT, ">&", $theirs->[1] or exit 126;
  open STDERR, ">&", $theirs->[2] or exit 126;

  # What Incus gives to a command: only root has a home.
  delete @ENV{qw(TERM LC_ALL HOME USER LOGNAME MAIL PWD OLDPWD SHLVL _)};
  $ENV{LANG} = "C.UTF-8";
  $ENV{PATH} ||= "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  @ENV{qw(HOME USER)} = qw(/root root) if $uid == 0;
  %ENV = (%ENV, map { split /=/, $_, 2 } @$env);

  $) = "$gid $gid";
  $( = $gid;
  ($<, $>) = ($uid, $uid);
  refuse(126, "cannot become $uid:$gid: $!") if $( != $gid || $) != $gid || $< != $uid || $> != $uid;
  chdir($cwd ne "" ? $cwd : $ENV{HOME} || "/") or refuse(126, "$cwd: $!");
  exec { $command[0] } @command;
  refuse(127, "$command[0]: command not found") if $! == $ENOENT;
  refuse(126, "$command[0]: cannot be executed: $!");
}

sub refuse {
  my ($status, $why) = @_;
  syswrite STDERR, "$why\n";
  exit $status;
}

sub take_input {
  my ($channel, $bytes) = @_;
  $channel->{input} .= $bytes;
  $channel->{input_ends} = 1 if $bytes eq "";
  drop_input($channel) if !$channel->{in};
  delete $channel->{in} if $channel->{input_ends} && $channel->{input} eq "";
}

sub write_input {
  my ($channel) = @_;
  my $count = syswrite $channel->{in}, $channel->{input};
  if (!defined $count) {
    drop_input($channel) if !would_block();
    return;
  }
  substr($channel->{input}, 0, $count) = "";
  frame("i", $channel->{number}, pack "N", $count);
  delete $channel->{in} if $channel->{input_ends} && $channel->{input} eq "";
}

# The command does not read any more: what comes is taken, as /dev/null would.
sub drop_input {
  my ($channel) = @_;
  delete $channel->{in};
  frame("i", $channel->{number}, pack "N", length $channel->{input}) if $channel->{input} ne "";
  $channel->{input} = "";
}

sub read_output {
  my ($channel, $output) = @_;
  my $most = $output->{window} < $CHUNK ? $output->{window} : $CHUNK;
  my $count = sysread $output->{file}, my $bytes, $most;
  return if !defined $count && would_block() && (!defined $channel->{status} || now() < $channel->{over_at});
  delete $output->{file} if !$count;
  $channel->{over_at} = now() + $LINGER if $count;
  $output->{window} -= $count;
  frame($output->{type}, $channel->{number}, $count ? $bytes : "");
}

sub signal {
  my ($channel, $number) = @_;
  kill $number, $channel->{pid} if !defined $channel->{status};
}

# What a closed terminal does. One that is a terminal does it by itself.
sub hang_up {
  my ($channel) = @_;
  return if $channel->{kill_at};
  $channel->{kill_at} = now() + $GRACE;
  if (!$channel->{tty} && !defined $channel->{status}) {
    kill(HUP => -$channel->{pid}) || kill(HUP => $channel->{pid});
  }
  delete $_->{file} for @{ $channel->{outputs} };
  drop_input($channel);
}

sub reap {
  my %by_pid = map { $_->{pid} => $_ } values %channels;
  while ((my $pid = waitpid -1, $WNOHANG) > 0) {
    undef $spare if $spare && $spare->{pid} == $pid;
    my $channel = $by_pid{$pid} or next;
    syswrite $guard, "-$pid\n";
    $channel->{status} = $? & 127 ? 128 + ($? & 127) : $? >> 8;
    $channel->{over_at} = now() + $LINGER;
  }
}

sub finish {
  my ($channel) = @_;
  frame("X", $channel->{number}, pack "N", $channel->{status});
  delete $channels{ $channel->{number} };
}
