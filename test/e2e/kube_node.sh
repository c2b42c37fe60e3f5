#!/bin/sh
# First process of a Kubernetes node on this machine: a root of its own (what it writes is in memory), cgroups of its own,
# then containerd, kubelet and kube-proxy until they are ended. All of it ends with this process.
#
#   unshare --mount --pid --fork --kill-child sh kube_node.sh FOLDER KUBERNETES
#
# In the network namespace of the node. FOLDER has name, address, cgroup, containerd.toml, kubelet.yaml, kubeconfig-kubelet, kube-proxy.yaml and
# *.tar, images; logs go there. It appears as /node, and KUBERNETES, where the programs are, as /kube.
set -eu
folder=$1 kube=$2
mount --make-rprivate /

# The groups that kubelet and containers make are below groups of this node, and seem to be the first ones to them.
group=$(cat "$folder/cgroup")
mkdir -p "$folder/disk" "$folder/root"
controllers=$(awk -F: '$2 != "" && $2 !~ /name=/ {print $2}' /proc/1/cgroup)
for controller in $controllers name=systemd; do
  own="/sys/fs/cgroup/${controller#name=}/$group"
  mkdir "$own"
  if [ "$controller" = cpuset ]; then
    cat /sys/fs/cgroup/cpuset/cpuset.cpus > "$own/cpuset.cpus"
    cat /sys/fs/cgroup/cpuset/cpuset.mems > "$own/cpuset.mems"
  fi
  echo $$ > "$own/cgroup.procs"
done

mount -t tmpfs -o size=4g,mode=755 tmpfs "$folder/disk"
mkdir "$folder/disk/upper" "$folder/disk/work" "$folder/disk/containerd" "$folder/disk/kubelet"
mount -t overlay -o "lowerdir=/,upperdir=$folder/disk/upper,workdir=$folder/disk/work" overlay "$folder/root"
cd "$folder/root"
mkdir -p node kube var/lib/containerd var/lib/kubelet var/lib/margay old-root
mount --bind "$folder" node
mount --bind "$kube" kube
mount --bind "$folder/disk/containerd" var/lib/containerd
mount --bind "$folder/disk/kubelet" var/lib/kubelet
mount --rbind /dev dev
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mount -t sysfs sysfs sys
mount -t bpf bpf sys/fs/bpf
exec unshare --cgroup sh /dev/fd/3 "$controllers" 3<<'INSIDE'
controllers=$1
mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
for controller in $controllers name=systemd; do
  mkdir "sys/fs/cgroup/${controller#name=}"
  mount -t cgroup -o "$controller" cgroup "sys/fs/cgroup/${controller#name=}"
done
mount -t proc proc proc
# Settings of the machine that a kubelet changes: it changes files here.
for setting in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys \
  kernel/keys/root_maxbytes; do
  copy="node/disk/$(echo "$setting" | tr / .)"
  cat "proc/sys/$setting" > "$copy"
  mount --bind "$copy" "proc/sys/$setting"
done
pivot_root . old-root
cd /
umount -l /old-root
mount --make-rshared /

# Not of the machine: what it has for networks of containers.
rm -rf /etc/cni /opt/cni
mkdir -p /etc/cni/net.d /opt/cni/bin
containerd -c /node/containerd.toml > /node/containerd.log 2>&1 &
until ctr version > /dev/null 2>&1; do sleep 0.1; done
for image in /node/*.tar; do ctr -n k8s.io images import "$image" > /node/import.log 2>&1; done
/kube/kubelet --config=/node/kubelet.yaml --kubeconfig=/node/kubeconfig-kubelet --hostname-override="$(cat /node/name)" \
  --container-runtime=remote --container-runtime-endpoint=unix:///run/containerd/containerd.sock \
  --node-ip="$(cat /node/address)" --network-plugin=cni > /node/kubelet.log 2>&1 &
/kube/kube-proxy --config=/node/kube-proxy.yaml > /node/kube-proxy.log 2>&1 &
wait
INSIDE
