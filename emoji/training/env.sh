# Allocator settings that keep big tensors from being mapped and faulted in anew each time.
export MALLOC_MMAP_THRESHOLD_=8000000000 MALLOC_TRIM_THRESHOLD_=16000000000 MALLOC_TOP_PAD_=268435456
# Threads that wait give the core away: with other programs running beside, spinning made a step up to fifty times slower.
export OMP_WAIT_POLICY=PASSIVE
