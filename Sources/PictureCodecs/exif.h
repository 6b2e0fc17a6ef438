#pragma once
#include <stddef.h>
#include <stdint.h>

// The orientation (tag 0x0112 of the first directory) of a TIFF-structured EXIF block, which may
// start with "Exif\0\0"; 1 (upright) where it is missing or malformed.
int exif_orientation(const uint8_t *bytes, size_t count);
