include $(sort $(wildcard $(BR2_EXTERNAL_ARCHIVISTA_PATH)/package/*/*.mk))

# GRUB unpacks a whole block for each 4 KiB that it reads for a sum: /boot, which is compressed by itself, stays as it is.
ROOTFS_SQUASHFS_ARGS += -action 'uncompressed@subpathname(boot)'
