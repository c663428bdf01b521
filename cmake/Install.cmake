# SPDX-License-Identifier: Apache-2.0
# What `make install` leaves: the four archives, the headers, a CMake package, a pkg-config file and man pages.
include(CMakePackageConfigHelpers)

install(TARGETS mcx-base mcx-crypto mcx-codec mcx EXPORT mcxTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/mcx DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT mcxTargets NAMESPACE mcx:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/mcx)
configure_package_config_file(cmake/mcxConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/mcxConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/mcx)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/mcxConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/mcxConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/mcxConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/mcx)
file(RELATIVE_PATH MCX_PC_UP /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/mcx.pc.in ${CMAKE_CURRENT_BINARY_DIR}/mcx.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/mcx.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES docs/man/mcx.1 docs/man/mcx-ue.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES docs/man/mcx-gmsd.8 docs/man/mcx-kmsd.8 docs/man/mcx-mcpttd.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
