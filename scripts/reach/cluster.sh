# A Slurm to run jobs on: the one that is at work here, or a cluster of one node, this machine, with its configuration in a
# folder that is removed at the end. After common.sh; `stop_cluster` ends what was started.

start_munge() {
  pgrep --exact munged >/dev/null && return
  [ -e /etc/munge/munge.key ] || skip 'munge has no key'
  install --directory --owner=munge --group=munge /run/munge
  # Not as a service: there may be no init.
  su --shell /bin/sh munge --command /usr/sbin/munged || skip 'munged does not start'
  munged=$(cat /run/munge/munged.pid)
}

# A cluster of this machine alone, with four CPUs whatever it has.
start_cluster() {
  cluster=$(mktemp --directory)
  host=$(hostname --short)
  mkdir "$cluster/state" "$cluster/spool"
  cat >"$cluster/slurm.conf" <<CONF
ClusterName=reach
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=26817
SlurmdPort=26818
AuthType=auth/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$cluster/state
SlurmdSpoolDir=$cluster/spool
SlurmctldPidFile=$cluster/slurmctld.pid
SlurmdPidFile=$cluster/slurmd.pid
SlurmctldLogFile=$cluster/slurmctld.log
SlurmdLogFile=$cluster/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
# Otherwise a job that names no memory takes all of it, and the jobs of an array run one after the other.
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
MpiDefault=none
NodeName=$host NodeAddr=127.0.0.1 CPUs=4 State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=10 State=UP
CONF
  export SLURM_CONF=$cluster/slurm.conf
  slurmctld -c || skip "slurmctld does not start: $(tail --lines=1 "$cluster/slurmctld.log")"
  slurmd -c || skip "slurmd does not start: $(tail --lines=1 "$cluster/slurmd.log")"
  for _ in $(seq 60); do
    [ "$(sinfo --noheader --format=%t 2>/dev/null)" = idle ] && return
    sleep 0.5
  done
  skip "the node does not become idle: $(sinfo --noheader --format='%t %E' 2>&1)"
}

# Ends what this script has started, and nothing else.
stop_cluster() {
  local daemons=${munged:-}
  if [ -n "${cluster:-}" ]; then
    daemons="$(cat "$cluster"/slurm*.pid 2>/dev/null || true) $daemons"
  fi
  for daemon in $daemons; do
    kill "$daemon" 2>/dev/null || continue
    timeout 20 tail --pid="$daemon" --follow /dev/null || true
  done
  [ -z "${cluster:-}" ] || rm -rf "$cluster"
}

# Finds a Slurm, or starts one.
need_cluster() {
  need srun slurm-wlm munge
  if ! sinfo >/dev/null 2>&1; then
    [ "$(id -u)" = 0 ] || skip 'no Slurm is at work here, and only root can start one'
    start_munge
    trap 'stop_cluster' EXIT
    start_cluster
  fi
}
