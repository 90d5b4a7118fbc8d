# Runs many commands at once over the one terminal that it is started on, raw already (bootstrap.ts). Runs in the sandbox as root.
#
# From here on there are only frames, both ways: type (a letter), channel (4 bytes), length (4 bytes), payload.
#   from the client                                 to the client
#     S  start a command (see start)                  O  standard output; empty: its end
#     I  standard input; empty: its end               E  standard error; empty: its end
#     o  so many bytes of O were taken; e: of E       i  so many bytes of I were taken
#     K  send a signal                                X  the command has ended with this exit code, and its output with it
#     W  set the terminal's size                      P  the answer to P
#     H  hang up; Q: hang up everything, and end
#     P  are you there?
# On each stream no more is under way than its window, so that a slow reader keeps nobody else waiting.
#
# It is on every installation of Debian and Ubuntu, in perl-base. No module is loaded: POSIX alone takes longer than all the rest,
# and somebody waits. So numbers of Linux stand here, which are the same on all that TrueNAS runs on.
use strict;

my $CHUNK = 32768;    # bytes that a frame carries at most
my $QUEUE = 65536;    # while so many bytes wait for the terminal, no output is read
my $GRACE = 2;        # seconds from a hang-up to a kill
my $LINGER = 1;       # seconds without output after which a command that has ended is over, as with Incus, although
                      # something in the background holds its output open
my $PATIENCE = 0.25;  # seconds: a SIGCHLD that comes just before select() does not end it
my $MOMENT = 0.01;    # seconds between the end of an output and that of the command, which mostly come together
my $REPORTS = 100;    # commands whose reports fit into the smallest pipe, see start_guard

# From <asm-generic/ioctls.h>, <asm-generic/fcntl.h>, <asm-generic/errno.h>, <linux/wait.h>.
my ($TIOCSWINSZ, $TIOCSPTLCK, $TIOCGPTN) = (0x5414, 0x40045431, 0x80045430);
my ($F_GETFL, $F_SETFL, $O_RDWR, $O_NOCTTY, $O_NONBLOCK) = (3, 4, 2, 0400, 04000);
my ($ENOENT, $EINTR, $EAGAIN, $WNOHANG) = (2, 4, 11, 1);

# What a start frame is: window, uid, gid, whether there is a terminal, its rows and columns, directory, variables, command.
my $START = "NNNCnnN/aN(N/a)*";

my ($SETSID, $CLOCK_GETTIME) = system_calls();

# number => { number, pid, tty, in, input, input_ends, outputs => [{ type, file, window }], status, over_at, kill_at }
my %channels;
my ($received, $to_send, $ends, $gone) = ("", "", "", 0);
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
my ($guard, $wake_guard) = start_guard();
my ($spare, $started);
$SIG{PIPE} = "IGNORE";
$SIG{CHLD} = sub { };
$SIG{HUP} = sub { $gone = 1 };
nonblocking($_) for \*STDIN, \*STDOUT;

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
  # Nothing here blocks, so that it does no harm what select() leaves in the vectors when a signal ends it.
  my $patience = $ends ne "" ? $MOMENT : %channels ? $PATIENCE : undef;
  send_ends() if select($readable, $writable, undef, $patience) == 0;

  receive() if vec $readable, 0, 1;
  reap();
  my @all = values %channels;  # some end on the way
  my $ended;
  for my $channel (@all) {
    write_input($channel) if $channel->{in} && vec $writable, fileno $channel->{in}, 1;
    for my $output (grep { $room && $_->{file} && $_->{window} > 0 } @{ $channel->{outputs} }) {
      read_output($channel, $output) if defined $channel->{status} || vec $readable, fileno $output->{file}, 1;
    }
    hang_up($channel) if $gone;
    signal($channel, 9) if $channel->{kill_at} && now() >= $channel->{kill_at};
    next if !defined $channel->{status} || grep { $_->{file} } @{ $channel->{outputs} };
    finish($channel);
    $ended = 1;
  }
  transmit() if $to_send ne "";
  $spare ||= prepare() if $ended && !$gone;
}

# The numbers of two system calls, by what this perl was built for (<elf.h>). setsid() is not in perl, nor is a clock that nobody sets.
sub system_calls {
  open my $perl, "<", "/proc/self/exe" or return;
  sysread $perl, my $header, 20;
  my %numbers = (62 => [112, 228], 183 => [157, 113]);  # x86-64, arm64
  return @{ $numbers{ unpack "x18 v", $header } || [] };
}

sub setsid {
  return syscall $SETSID if $SETSID;
  require POSIX;
  POSIX::setsid();
}

# Seconds since some moment, whatever happens to the date.
sub now {
  if ($CLOCK_GETTIME) {
    syscall $CLOCK_GETTIME, 1, my $time = "\0" x 16;
    my ($seconds, $nanoseconds) = unpack "qq", $time;
    return $seconds + $nanoseconds / 1e9;
  }
  require POSIX;
  (POSIX::times())[0] / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}

# Incus kills a shell whose client is gone. Then this second process hangs up what ran: it is told of every command that
# begins (PID) and has ended (-PID). It sleeps until nobody holds the other pipe any more, or the reports might fill theirs.
sub start_guard {
  pipe my $reports, my $guard or die "pipe: $!";
  pipe my $wakes, my $wake or die "pipe: $!";
  return $guard, $wake if fork;
  close $_ for $guard, $wake, \*STDIN, \*STDOUT, \*STDERR;
  setsid();
  nonblocking($reports);
  my %running;
  my $is_alive = 1;
  while ($is_alive) {
    $is_alive = sysread $wakes, my $byte, 1;
    my $lines = "";
    1 while sysread $reports, $lines, 65536, length $lines;
    for my $report (split /\n/, $lines) {
      if ($report > 0) { $running{ abs $report } = 1 }
      else { delete $running{ abs $report } }
    }
  }
  kill HUP => -$_ for keys %running;
  exit;
}

sub nonblocking { fcntl $_[0], $F_SETFL, $O_NONBLOCK | fcntl $_[0], $F_GETFL, 0 }

sub would_block { $! == $EAGAIN || $! == $EINTR }

sub frame {
  my ($type, $number, $payload) = @_;
  send_ends();
  $to_send .= pack("aNN", $type, $number, length $payload) . $payload;
}

# The end of an output is kept for a moment, so that it goes together with that of the command.
sub end_frame {
  my ($type, $number) = @_;
  $ends .= pack "aNN", $type, $number, 0;
}

sub send_ends {
  $to_send .= $ends;
  $ends = "";
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
  my ($window, $uid, undef, $tty, $rows, $columns, undef, $env_count, @words) = unpack $START, $payload;
  my $child = $spare || prepare();
  undef $spare;
  my ($master, $slave) = $tty && $child ? open_terminal($uid, $rows, $columns) : (undef, "");
  if (!$child || $tty && !$master) {
    frame($tty ? "O" : "E", $number, "$words[$env_count]: cannot be started: $!\n");
    frame("X", $number, pack "N", 126);
    return;
  }
  my ($in, @out) = $tty ? ($master, $master) : @{ $child->{pipes} };
  my @outputs = map +{ type => (qw(O E))[$_], file => $out[$_], window => $window }, 0 .. $#out;
  $channels{$number} = { number => $number, pid => $child->{pid}, tty => $tty, in => $in, input => "", outputs => \@outputs };
  syswrite $wake_guard, "." if ++$started % $REPORTS == 0;
  write_all($child->{request}, pack "N/a a*", $slave, $payload);
}

# A child that waits for its command, and our ends of its pipes. A fork of perl takes longer than many a command.
sub prepare {
  my (@ours, @theirs);
  for my $stream (0 .. 3) {
    pipe my $read, my $write or return;
    ($ours[$stream], $theirs[$stream]) = $stream == 1 || $stream == 2 ? ($read, $write) : ($write, $read);
  }
  my $pid = fork;
  return if !defined $pid;
  if ($pid == 0) {
    @ours = ();
    become(@theirs);
  }
  my $request = pop @ours;
  nonblocking($_) for @ours;
  return { pid => $pid, request => $request, pipes => \@ours };
}

sub write_all {
  my ($file, $bytes) = @_;
  while ($bytes ne "") {
    my $count = syswrite $file, $bytes;
    return if !defined $count && !would_block();  # it was killed, and is reaped
    substr($bytes, 0, $count || 0) = "";
  }
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
  nonblocking($master);
  return $master, $slave;
}

sub resize {
  my ($master, $rows, $columns) = @_;
  my $size = pack "S4", $rows, $columns, 0, 0;
  ioctl $master, $TIOCSWINSZ, $size if $master;
}

# In the child: becomes the command, in a session of its own, so that our terminal is out of its reach. What can be done before
# there is one is.
sub become {
  my (@files) = @_;
  $SIG{$_} = "DEFAULT" for qw(HUP PIPE CHLD);
  exit 129 if $gone;
  setsid();
  for my $channel (values %channels) {
    close $_ for grep { $_ } $channel->{in}, map { $_->{file} } @{ $channel->{outputs} };  # else the others' would never end
  }
  use_files(@files);

  # What Incus gives to a command.
  delete @ENV{qw(TERM LC_ALL LOGNAME MAIL PWD OLDPWD SHLVL _)};
  $ENV{LANG} = "C.UTF-8";
  $ENV{PATH} ||= "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  @ENV{qw(HOME USER)} = qw(/root root);
  $) = "0 0";

  my $request = "";
  1 while sysread $files[3], $request, 65536, length $request;
  exit if $request eq "";
  syswrite $guard, "$$\n";
  my ($terminal, $payload) = unpack "N/a a*", $request;
  my (undef, $uid, $gid, undef, undef, undef, $cwd, $env_count, @command) = unpack $START, $payload;
  if ($terminal ne "") {
    sysopen my $slave, $terminal, $O_RDWR or exit 126;  # and so it becomes the controlling terminal
    use_files(($slave) x 3);
  }
  delete @ENV{qw(HOME USER)} if $uid != 0;  # only root has a home
  for my $variable (splice @command, 0, $env_count) {
    my ($name, $value) = split /=/, $variable, 2;
    $ENV{$name} = $value;
  }
  become_user($uid, $gid) if $uid != 0 || $gid != 0;
  chdir($cwd ne "" ? $cwd : $ENV{HOME} || "/") or refuse(126, "$cwd: $!");
  exec { $command[0] } @command;
  refuse(127, "$command[0]: command not found") if $! == $ENOENT;
  refuse(126, "$command[0]: cannot be executed: $!");
}

sub become_user {
  my ($uid, $gid) = @_;
  $) = "$gid $gid";
  $( = $gid;
  ($<, $>) = ($uid, $uid);
  $( == $gid && $) == $gid && $< == $uid && $> == $uid or refuse(126, "cannot become $uid:$gid: $!");
}

sub use_files {
  my ($in, $out, $errors) = @_;
  open STDIN, "<&", $in;
  open STDOUT, ">&", $out;
  open STDERR, ">&", $errors;
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
  if ($count) {
    $channel->{over_at} = undef;
    $output->{window} -= $count;
    frame($output->{type}, $channel->{number}, $bytes);
  } elsif (defined $count || !would_block() || is_over($channel)) {
    delete $output->{file};
    end_frame($output->{type}, $channel->{number});
  }
}

# Whether the command has ended and printed nothing more for a while.
sub is_over {
  my ($channel) = @_;
  return if !defined $channel->{status};
  $channel->{over_at} ||= now() + $LINGER;
  return now() >= $channel->{over_at};
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
  }
}

sub finish {
  my ($channel) = @_;
  frame("X", $channel->{number}, pack "N", $channel->{status});
  delete $channels{ $channel->{number} };
}
