
# What follows needs no change. A Ray of this job's own is started, a node a step, and the sweep's driver beside its head.
set -u
restarts=${SLURM_RESTART_COUNT:-0}
heard=0 driver=''
say() { echo "$(date +%FT%T) job $SLURM_JOB_ID, start $((restarts + 1)): $*"; }

# A signal from now on: the driver is told, and writes down what it knows.
# shellcheck disable=SC2317,SC2329  # called by the traps
take() {
    signal=$1 heard=$((heard + 1))
    say "SIG$1"
    [ -z "$driver" ] || kill -TERM "$driver" 2>/dev/null
}
trap 'take TERM' TERM
trap 'take INT' INT

# The exit code of a child; a signal that is taken meanwhile does not end the wait.
await() {
    local before code
    while :; do
        before=$heard
        wait "$1"
        code=$?
        [ "$before" != "$heard" ] || return "$code"
    done
}

# After a signal: to the queue again, if it was no `stop` and the job was not there too often.
leave() {
    if [ "$signal" != TERM ]; then
        say "stopped; what is finished is kept"
    elif [ "$restarts" -ge "$requeues" ]; then
        say "has been started $((restarts + 1)) times; submit it again to go on"
    elif scontrol requeue "$SLURM_JOB_ID"; then
        say "goes to the queue again, and on from there"
        exit 0
    else
        say "can't be put into the queue again; submit it again to go on"
    fi
    exit 130
}

# A token of this start's own: nobody else's programs can use this Ray. It is no encryption.
RAY_AUTH_TOKEN=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN POLYCHRONY_SLURM_JOB=$SLURM_JOB_ID
export RAY_raylet_start_wait_time_s=300

mapfile -t nodes < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
head=${nodes[0]}
ip=$(getent ahostsv4 "$head" | awk '{print $1; exit}')
port=$((20000 + SLURM_JOB_ID % 5000 * 2)) # others of this user's on the node have other jobs' ports
place="$scratch/ply$SLURM_JOB_ID" # on each node, never shared: sockets lie in it, whose paths are short
cpus=${SLURM_CPUS_PER_TASK:-1}
[ -n "$ip" ] || { say "the address of $head is not known"; exit 1; }

# Ray on one node, until the step ends; then its files are removed. Never by `ray stop`, which ends all of the user's
# Ray on a node, also that of other jobs.
# shellcheck disable=SC2016  # it is expanded on the node
step='rm -rf -- "$0"; "$@" & trap "kill -TERM $! 2>/dev/null" TERM; wait $!; wait $!; code=$?; rm -rf -- "$0"; exit $code'
node() {
    local name=$1
    shift
    : >"$log.$name" # what an earlier start of this job has said
    srun --overlap --export=ALL --nodes=1 --ntasks=1 --cpus-per-task="$cpus" --nodelist="$name" \
        bash -c "$step" "$place" ${run[@]+"${run[@]}"} ray start "$@" --num-cpus="$cpus" --min-worker-port=0 \
        --max-worker-port=0 --disable-usage-stats --block >"$log.$name" 2>&1 &
}

say "on ${nodes[*]}; Ray's head is $ip:$port"
node "$head" --head --node-ip-address="$ip" --port="$port" --ray-client-server-port=$((port + 1)) \
    --include-dashboard=false --temp-dir="$place"
head_step=$!
# Not by its port, which answers before there is a node that a driver could join.
until grep -q 'Ray runtime started' "$log.$head" 2>/dev/null; do
    [ -z "$signal" ] || leave
    kill -0 "$head_step" 2>/dev/null || { say "Ray did not start; see $log.$head"; exit 1; }
    sleep 1
done
for other in "${nodes[@]:1}"; do
    node "$other" --address="$ip:$port"
done
[ -z "$signal" ] || leave

# Trials are placed on the other nodes as soon as they have joined.
${run[@]+"${run[@]}"} polychrony run "$sweep" --address "$ip:$port" --out "$out" ${options[@]+"${options[@]}"} &
driver=$!
await "$driver"
code=$?
say "the sweep's driver has ended with exit code $code"
[ "$code" != 130 ] || [ -z "$signal" ] || leave
exit "$code"
